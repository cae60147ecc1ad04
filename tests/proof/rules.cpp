#include "rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>
#include <utility>

#include "tokens.hpp"

// A source is not parsed for what it means, only for its shape: declarations, functions,
// statements, the parts of expressions that stand between signs. That the sources come from one
// formatter helps: `a < b` compares, `a<b>` does not. What a rule makes and the compiler refuses is
// left out later.

namespace kit {
namespace {

using Tokens = std::vector<Token>;

/// Half open: [begin, end) of the tokens.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] bool empty() const { return begin >= end; }
};

/// What may stand in a place instead of what stands there, and the number that chooses it.
struct Variant {
  unsigned number;
  std::string text;
};

/// A rule's way to write an expression: tokens [cut.begin, cut.end) become `text`.
struct Edit {
  std::string rule;
  Range cut;
  std::string text;
};

struct Statement {
  enum class Kind {
    expression,
    declaration,
    jump,     // return, throw, break, continue
    control,  // if, while, for, switch, do
    handler,  // try
    block,
    label,
    other,  // nothing that a rule changes
  };
  Kind kind = Kind::other;
  Range range;
};

template <std::size_t size>
bool is_one_of(const Token& token, const std::array<std::string_view, size>& words) {
  return std::find(words.begin(), words.end(), token.text) != words.end();
}

constexpr std::array<std::string_view, 14> type_words{
    "const",    "static", "auto", "struct", "typename", "unsigned", "signed",
    "volatile", "int",    "char", "bool",   "long",     "double",   "thread_local"};
constexpr std::array<std::string_view, 4> jump_words{"return", "throw", "break", "continue"};
constexpr std::array<std::string_view, 5> control_words{"if", "while", "for", "switch", "do"};
/// What an operand of && and || begins behind.
constexpr std::array<std::string_view, 16> before_operand{
    "(", "[", "{", ",", "?", ":", ";", "=", "return", "throw", "||", "&&", "+=", "|=", "<<", "!"};
constexpr std::array<std::string_view, 11> flag_families{
    "MSG_", "SOCK_", "O_", "WNOHANG", "EPOLL", "POLL", "EFD_", "SA_", "AI_", "NI_", "EVENT_"};

bool is_all_capitals(std::string_view word) {
  return std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isupper(c) != 0 || std::isdigit(c) != 0 || c == '_';
  });
}

bool is_errno(const Token& token) {
  return token.kind == Token::Kind::word && token.text.size() >= 4 && token.text[0] == 'E' &&
         token.text.find('_') == std::string_view::npos && is_all_capitals(token.text);
}

bool is_flag(const Token& token) {
  return token.kind == Token::Kind::word && is_all_capitals(token.text) &&
         std::any_of(flag_families.begin(), flag_families.end(),
                     [&](std::string_view family) { return token.text.starts_with(family); });
}

/// 4096 -> 4097; what is not written in plain digits gets "+ 1".
std::string plus_one(std::string_view number) {
  std::string digits;
  std::size_t i = 0;
  for (; i < number.size(); ++i) {
    if (number[i] == '\'') continue;
    if (std::isdigit(static_cast<unsigned char>(number[i])) == 0) break;
    digits += number[i];
  }
  const bool other_base = digits.size() > 1 && digits[0] == '0';
  const std::string_view suffix = number.substr(i);
  if (other_base || digits.size() > 18 || suffix.starts_with('x') || suffix.starts_with('b') ||
      suffix.starts_with('.') || suffix.starts_with('e')) {
    return "(" + std::string(number) + " + 1)";
  }
  return std::to_string(std::stoll(digits) + 1) + std::string(suffix);
}

std::string shortened(std::string text) {
  constexpr std::size_t longest = 90;
  if (text.size() <= longest) return text;
  text.resize(longest);
  return text + "...";
}

/// The functions of a source by name: from the name to the end of the body, on one line.
using Functions = std::multimap<std::string, std::string>;

class Mutator {
 public:
  Mutator(std::string file, std::string_view source, const Functions& given, unsigned first,
          const std::set<std::string>& refused)
      : file_(std::move(file)),
        source_(source),
        tokens_(read_tokens(source)),
        given_(given),
        next_number_(first),
        refused_(refused) {
    match_brackets();
  }

  RuleSource make() {
    RuleSource result;
    result.text = declarations({0, tokens_.size()});
    result.text += between(tokens_.size()) + "\n";
    result.mutants = std::move(mutants_);
    note_lines(result);
    return result;
  }

  /// The functions that have been found, flattened.
  [[nodiscard]] const Functions& functions() const { return functions_; }

 private:
  // ---- tokens ---------------------------------------------------------------------------------

  [[nodiscard]] const Token& at(std::size_t i) const { return tokens_[i]; }
  [[nodiscard]] bool is(std::size_t i, std::string_view text) const {
    return i < tokens_.size() && tokens_[i].is(text);
  }
  [[nodiscard]] bool space_before(std::size_t i) const {
    return i > 0 && tokens_[i - 1].end() < tokens_[i].begin;
  }
  [[nodiscard]] bool space_around(std::size_t i) const {
    return space_before(i) && i + 1 < tokens_.size() && space_before(i + 1);
  }

  void match_brackets() {
    close_.resize(tokens_.size(), 0);
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (is(i, "(") || is(i, "[") || is(i, "{")) open.push_back(i);
      if (!is(i, ")") && !is(i, "]") && !is(i, "}")) continue;
      if (open.empty()) continue;
      close_[open.back()] = i;
      open.pop_back();
    }
  }

  /// Behind the bracket that opens here, or the token.
  [[nodiscard]] std::size_t behind(std::size_t i) const {
    return close_[i] != 0 ? close_[i] + 1 : i + 1;
  }

  /// The first token with this text that is in no bracket; range.end if there is none.
  [[nodiscard]] std::size_t find(Range range, std::string_view text) const {
    for (std::size_t i = range.begin; i < range.end; i = behind(i)) {
      if (is(i, text)) return i;
    }
    return range.end;
  }

  /// Behind the template arguments that begin here, or this place if none do.
  [[nodiscard]] std::size_t behind_arguments(std::size_t i) const {
    if (!is(i, "<") || space_around(i)) return i;
    int depth = 0;
    for (std::size_t j = i; j < tokens_.size(); j = behind(j)) {
      if (is(j, "<")) ++depth;
      if (is(j, ">") && --depth == 0) return j + 1;
      if (is(j, ";")) return i;
    }
    return i;
  }

  /// The text as it stands.
  [[nodiscard]] std::string plain(Range range) const {
    if (range.empty()) return "";
    const std::size_t begin = at(range.begin).begin;
    return std::string(source_.substr(begin, at(range.end - 1).end() - begin));
  }

  /// The same on one line, without comments.
  [[nodiscard]] std::string flat(Range range) const {
    std::string text;
    for (std::size_t i = range.begin; i < range.end; ++i) {
      if (i != range.begin && space_before(i)) text += ' ';
      text += at(i).text;
    }
    return text;
  }

  [[nodiscard]] std::string edited(Range range, const Edit& edit) const {
    return flat({range.begin, edit.cut.begin}) + " " + edit.text + " " +
           flat({edit.cut.end, range.end});
  }

  /// What stands between two tokens: white space and comments.
  [[nodiscard]] std::string between(std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : at(i - 1).end();
    const std::size_t end = i < tokens_.size() ? at(i).begin : source_.size();
    return std::string(source_.substr(begin, end - begin));
  }

  // ---- mutants --------------------------------------------------------------------------------

  /// Gives a mutant its number. @returns none if it is refused
  std::optional<unsigned> add(std::size_t token, const std::string& rule,
                              const std::string& change) {
    RuleMutant mutant{next_number_++, file_, at(token).line, function_, rule, change};
    std::string name = mutant.name();
    if (const int before = names_[name]++; before > 0) {
      mutant.change += " (" + std::to_string(before + 1) + ")";
    }
    if (refused_.contains(mutant.name())) return std::nullopt;
    mutants_.push_back(mutant);
    return mutant.number;
  }

  static std::string on(unsigned number) { return "kit_rule::on(" + std::to_string(number) + ")"; }

  void note_lines(RuleSource& result) const {
    result.number_of_line.push_back(0);
    std::size_t begin = 0;
    while (begin < result.text.size()) {
      const std::size_t end = std::min(result.text.find('\n', begin), result.text.size());
      const std::string_view line = std::string_view(result.text).substr(begin, end - begin);
      constexpr std::string_view mark = "kit_rule::on(";
      const std::size_t found = line.find(mark);
      unsigned number = 0;
      for (std::size_t i = found == line.npos ? line.size() : found + mark.size();
           i < line.size() && line[i] != ')'; ++i) {
        number = number * 10 + static_cast<unsigned>(line[i] - '0');
      }
      result.number_of_line.push_back(number);
      begin = end + 1;
    }
  }

  // ---- declarations ---------------------------------------------------------------------------

  std::string declarations(Range range) {
    std::string text;
    for (std::size_t i = range.begin; i < range.end;) {
      const std::size_t end = declaration_end({i, range.end});
      text += between(i) + declaration({i, end});
      i = end;
    }
    return text;
  }

  /// Behind a declaration of a namespace or class: its semicolon or the brace that ends it.
  [[nodiscard]] std::size_t declaration_end(Range range) const {
    for (std::size_t i = range.begin; i < range.end; i = behind(i)) {
      if (is(i, ";")) return i + 1;
      if (is(i, ":") && i == range.begin + 1) return i + 1;  // public:
      if (!is(i, "{")) continue;
      if (body_of({range.begin, range.end}) == i || is(range.begin, "namespace")) return behind(i);
    }
    return range.end;
  }

  /// The brace that begins the body of the function that is declared here; range.end if none is.
  [[nodiscard]] std::size_t body_of(Range range) const {
    bool parameters = false;
    bool initializers = false;
    for (std::size_t i = range.begin; i < range.end; i = behind(i)) {
      if (is(i, "template")) {
        const std::size_t after = behind_template(i + 1);
        if (after > i + 1) i = after - 1;
        continue;
      }
      if (is(i, ";") || is(i, "=")) return range.end;
      if (!parameters && (is(i, "class") || is(i, "struct") || is(i, "enum") || is(i, "union") ||
                          is(i, "namespace"))) {
        return range.end;
      }
      if (is(i, "(")) parameters = true;
      if (parameters && is(i, ":")) initializers = true;
      if (!is(i, "{")) continue;
      if (!parameters) return range.end;
      const Token& before = at(i - 1);
      const bool member = initializers && before.kind == Token::Kind::word;
      if (!member) return i;
    }
    return range.end;
  }

  /// Behind the parameters of a template: `<` stands behind a space here.
  [[nodiscard]] std::size_t behind_template(std::size_t i) const {
    if (!is(i, "<")) return i;
    int depth = 0;
    for (std::size_t j = i; j < tokens_.size(); j = behind(j)) {
      if (is(j, "<")) ++depth;
      if (is(j, ">") && --depth == 0) return j + 1;
    }
    return i;
  }

  std::string declaration(Range range) {
    const std::size_t body = body_of(range);
    if (body != range.end) return function(range, body);
    const std::size_t open = find(range, "{");
    std::size_t first = range.begin;
    if (is(first, "template")) first = behind_template(first + 1);
    if (is(first, "enum") || is(first, "using") || is(first, "friend")) return plain(range);
    const bool scope =
        is(first, "namespace") || is(first, "class") || is(first, "struct") || is(first, "union");
    if (scope && open != range.end) {
      return plain({range.begin, open + 1}) + declarations({open + 1, close_[open]}) +
             between(close_[open]) + plain({close_[open], range.end});
    }
    return member(range);
  }

  std::string function(Range range, std::size_t body) {
    std::size_t parameters = range.begin;
    bool constant = false;
    for (; parameters < body; ++parameters) {
      if (is(parameters, "template")) parameters = behind_template(parameters + 1) - 1;
      if (is(parameters, "[")) parameters = close_[parameters];  // an attribute
      if (is(parameters, "(")) break;
      if (is(parameters, "constexpr") || is(parameters, "consteval")) constant = true;
    }
    std::size_t name = parameters - 1;
    while (name >= range.begin + 2 && is(name - 1, "::")) name -= 2;
    if (name > range.begin && is(name - 1, "~")) --name;
    function_ = flat({name, parameters});
    const std::string whole = flat({name, close_[body] + 1});
    functions_.emplace(function_, whole);
    const auto [begin, end] = given_.equal_range(function_);
    const bool given = std::any_of(begin, end, [&](auto& one) { return one.second == whole; });
    if (constant || given) return plain(range);
    return plain({range.begin, body}) + between(body) + function_body(body) +
           rest({close_[body] + 1, range.end});
  }

  [[nodiscard]] std::string rest(Range range) const {
    return range.empty() ? "" : between(range.begin) + plain(range);
  }

  std::string function_body(std::size_t open) {
    return "{" + statements({open + 1, close_[open]}, /* of_function */ true) +
           between(close_[open]) + "}";
  }

  /// A member or variable with an initializer: `std::size_t max_output = 1024 * 1024;`
  std::string member(Range range) {
    const std::size_t sign = find(range, "=");
    for (std::size_t i = range.begin; i < std::min(sign, range.end); ++i) {
      if (is(i, "constexpr") || is(i, "(") || is(i, "static_assert") || is(i, "operator") ||
          is(i, "using")) {
        return plain(range);
      }
    }
    if (sign == range.end || sign == range.begin) return plain(range);
    function_ = std::string(at(sign - 1).text);
    return plain({range.begin, sign + 1}) + initializer({sign + 1, range.end - 1}) +
           plain({range.end - 1, range.end});
  }

  // ---- statements -----------------------------------------------------------------------------

  std::string statements(Range range, bool of_function) {
    std::vector<Statement> list;
    for (std::size_t i = range.begin; i < range.end;) {
      list.push_back(statement_at(i));
      i = list.back().range.end;
    }
    // Two neighbours change places: each is what the other was, under the same number.
    std::vector<std::vector<Variant>> variants(list.size());
    for (std::size_t i = 0; i + 1 < list.size(); ++i) {
      if (!may_change_place(list[i]) || !may_change_place(list[i + 1])) continue;
      const std::string first = flat(list[i].range);
      const std::string second = flat(list[i + 1].range);
      if (first == second) continue;
      const auto number = add(list[i].range.begin, "statements swapped",
                              shortened(first) + " <-> " + shortened(second));
      if (!number) continue;
      variants[i].push_back({*number, second});
      variants[i + 1].push_back({*number, first});
    }
    std::string text;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const bool last = of_function && i + 1 == list.size();
      text += between(list[i].range.begin) +
              statement(list[i], std::move(variants[i]), last, range.end);
    }
    return text;
  }

  static bool may_change_place(const Statement& statement) {
    using Kind = Statement::Kind;
    return statement.kind == Kind::expression || statement.kind == Kind::control ||
           statement.kind == Kind::handler || statement.kind == Kind::block;
  }

  [[nodiscard]] Statement statement_at(std::size_t i) const {
    using Kind = Statement::Kind;
    if (is(i, "{")) return {Kind::block, {i, behind(i)}};
    if (is(i, ";")) return {Kind::other, {i, i + 1}};
    if (is(i, "case") || (is(i, "default") && is(i + 1, ":"))) {
      return {Kind::label, {i, find({i, tokens_.size()}, ":") + 1}};
    }
    if (is(i, "try")) {
      std::size_t end = behind(i + 1);
      while (is(end, "catch")) end = behind(behind(end + 1));
      return {Kind::handler, {i, end}};
    }
    if (is_one_of(at(i), control_words)) return {Kind::control, {i, control_end(i)}};
    const std::size_t end = find({i, tokens_.size()}, ";") + 1;
    if (is_one_of(at(i), jump_words)) return {Kind::jump, {i, end}};
    if (is(i, "using") || is(i, "static_assert") || is(i, "constexpr") || is(i, "[") ||
        is(i, "typedef")) {
      return {Kind::other, {i, end}};
    }
    if (is(i, "struct") || is(i, "class")) return {Kind::other, {i, end}};
    return {is_declaration({i, end}) ? Kind::declaration : Kind::expression, {i, end}};
  }

  [[nodiscard]] std::size_t control_end(std::size_t i) const {
    if (is(i, "do")) return find({statement_at(i + 1).range.end, tokens_.size()}, ";") + 1;
    std::size_t condition = i + 1;
    if (is(condition, "constexpr")) ++condition;
    std::size_t end = statement_at(behind(condition)).range.end;
    if (is(i, "if") && is(end, "else")) end = statement_at(end + 1).range.end;
    return end;
  }

  /// Behind the type that a declaration begins with; range.begin if it begins with none.
  [[nodiscard]] std::size_t behind_type(Range range) const {
    std::size_t i = range.begin;
    bool word = false;
    if (is(i, "::")) return range.begin;
    while (i < range.end) {
      if (is(i, "const") || is(i, "static") || is(i, "typename") || is(i, "*") || is(i, "&") ||
          is(i, "&&")) {
        ++i;
      } else if (at(i).kind == Token::Kind::word && !(word && !is(i - 1, "::") && !builtin(i))) {
        word = true;
        i = behind_arguments(i + 1);
      } else if (is(i, "::")) {
        ++i;
      } else {
        break;
      }
    }
    return i;
  }
  [[nodiscard]] bool builtin(std::size_t i) const {
    return is_one_of(at(i), type_words) && is_one_of(at(i - 1), type_words);
  }

  /// Where the declared name stands; range.begin if this declares nothing that we know.
  [[nodiscard]] std::size_t declared_name(Range range) const {
    const std::size_t name = behind_type(range);
    if (name <= range.begin || name >= range.end) return range.begin;
    const bool bound =
        is(name, "[") && (is(name - 1, "auto") || is(name - 1, "&") || is(name - 1, "&&"));
    if (bound) return name;
    if (at(name).kind != Token::Kind::word) return range.begin;
    const std::size_t next = name + 1;
    return next >= range.end || is(next, "=") || is(next, "(") || is(next, "{") || is(next, ";") ||
                   is(next, "[") || is(next, ",") || is(next, ":")
               ? name
               : range.begin;
  }

  [[nodiscard]] bool is_declaration(Range range) const {
    if (is(range.begin, "delete") || is(range.begin, "new") || is(range.begin, "goto")) {
      return false;
    }
    return is_one_of(at(range.begin), type_words) || declared_name(range) != range.begin;
  }

  static std::string chain(const std::vector<Variant>& variants, const std::string& core) {
    if (variants.empty()) return core;
    std::string text;
    for (const Variant& variant : variants) {
      text += "\nif (" + on(variant.number) + ") { " + variant.text + " } else";
    }
    return text + "\n" + core;
  }

  /// @param last  it ends its function: without it the function would have no value
  /// @param scope_end  where the block ends that it stands in
  std::string statement(const Statement& statement, std::vector<Variant> variants, bool last,
                        std::size_t scope_end) {
    using Kind = Statement::Kind;
    const Range range = statement.range;
    switch (statement.kind) {
      case Kind::expression:
      case Kind::jump: {
        const bool value = is(range.begin, "return") || is(range.begin, "throw");
        if (!(last && value)) leave_out(range, variants);
        if (value && range.end - range.begin > 2) add_returned(range, variants);
        const Range inside{range.begin, range.end - 1};
        add_edits(inside, variants, ";");
        return chain(variants, woven(inside) + ";");
      }
      case Kind::declaration:
        return local(range, scope_end);
      case Kind::control:
        return control(range, std::move(variants));
      case Kind::handler:
        return chain(variants, handler(range));
      case Kind::block:
        return chain(variants, block(range.begin));
      case Kind::label:
      case Kind::other:
        break;
    }
    return plain(range);
  }

  std::string block(std::size_t open) {
    return "{" + statements({open + 1, close_[open]}, false) + between(close_[open]) + "}";
  }

  std::string sub_statement(std::size_t i) {
    if (is(i, "{")) return " " + block(i);
    return "\n" + statement(statement_at(i), {}, false, i);
  }

  void leave_out(Range range, std::vector<Variant>& variants) {
    if (const auto number = add(range.begin, "statement left out", shortened(flat(range)))) {
      variants.push_back({*number, ""});
    }
  }

  std::string handler(Range range) {
    std::string text = "try " + block(range.begin + 1);
    for (std::size_t i = behind(range.begin + 1); i < range.end;) {
      const std::size_t open = behind(i + 1);
      const Range inside{open + 1, close_[open]};
      // One statement is left out by the rule for statements.
      const bool several = !inside.empty() && statement_at(inside.begin).range.end < inside.end;
      std::string body = block(open);
      if (several) {
        const std::string head = flat({i, open});
        if (const auto number = add(i, "catch emptied", head + " " + shortened(flat(inside)))) {
          body = "{" + chain({{*number, ""}}, body) + "}";
        }
      }
      text += " " + plain({i, open}) + " " + body;
      i = close_[open] + 1;
    }
    return text;
  }

  std::string control(Range range, std::vector<Variant> variants) {
    const std::size_t i = range.begin;
    if (is(i, "do")) return chain(variants, do_loop(i));
    std::size_t open = i + 1;
    if (is(open, "constexpr")) ++open;
    const Range head{open + 1, close_[open]};
    const std::size_t body = close_[open] + 1;
    const std::size_t behind_body = statement_at(body).range.end;
    std::string text;
    if (is(i, "for")) return for_loop(range, head, body, std::move(variants));
    if (is(i, "while") && is_declaration(head)) {
      // The declared name is tested in an `if`, where a second condition has room.
      text = "while (true) if (" + condition(head) + ")" + sub_statement(body) + " else break;";
      return chain(variants, text);
    }
    if (is(i + 1, "constexpr") || is(i, "switch")) {
      text = plain({i, body});
    } else {
      text = std::string(at(i).text) + " (" + condition(head) + ")";
    }
    text += sub_statement(body);
    if (is(i, "if") && behind_body < range.end) text += " else" + sub_statement(behind_body + 1);
    return chain(variants, text);
  }

  std::string do_loop(std::size_t i) {
    const std::size_t condition_open = statement_at(i + 1).range.end + 1;
    return "do" + sub_statement(i + 1) + " while (" +
           condition({condition_open + 1, close_[condition_open]}) + ");";
  }

  std::string for_loop(Range range, Range head, std::size_t body, std::vector<Variant> variants) {
    const std::size_t first = find(head, ";");
    if (first == head.end) {
      leave_out(range, variants);
      const std::string text = plain({range.begin, body}) + sub_statement(body);
      return chain(variants, text);
    }
    const std::size_t second = find({first + 1, head.end}, ";");
    std::string text = "for (";
    const Range begin{head.begin, first};
    if (!begin.empty() && is_declaration(begin)) {
      const std::size_t sign = find(begin, "=");
      text += sign == begin.end ? plain(begin)
                                : plain({begin.begin, sign + 1}) + initializer({sign + 1, first});
    } else {
      text += plain(begin);
    }
    text += ";";
    if (first + 1 < second) text += " " + condition({first + 1, second});
    text += ";";
    const Range step{second + 1, head.end};
    if (!step.empty()) {
      if (const auto number = add(step.begin, "statement left out", flat(step))) {
        text += "\n" + on(*number) + " ? void() :\nvoid(" + plain(step) + ")";
      } else {
        text += plain(step);
      }
    }
    return chain(variants, text + ")" + sub_statement(body));
  }

  // ---- local variables ------------------------------------------------------------------------

  std::string local(Range range, std::size_t scope_end) {
    const std::size_t name = declared_name(range);
    if (name == range.begin || is(name, "[")) return local_with_sign(range);
    const std::size_t next = name + 1;
    if (is(next, "=")) return local_with_sign(range);
    const bool called = is(next, "(") || is(next, "{");
    // One variable alone, `Type name(arguments);`
    if (!called || behind(next) + 1 != range.end) return plain(range);
    std::size_t type = range.begin;
    if (is(type, "static")) return plain(range);
    if (is(type, "const")) ++type;
    if (is(type, "auto") || is(name - 1, "&") || is(name - 1, "*")) return plain(range);
    const Range arguments{next + 1, close_[next]};
    const std::string type_text = flat({type, name});
    const std::string open = std::string(at(next).text);
    const std::string close = std::string(at(close_[next]).text);
    std::vector<Variant> variants;
    const bool used = is_used(name, {range.end, scope_end});
    const bool lock = type_text == "std::unique_lock";
    if (!used && !arguments.empty()) return guard(range, type_text, arguments);
    if (lock) {
      if (const auto number = add(range.begin, "statement left out", shortened(flat(range)))) {
        variants.push_back({*number, flat(arguments) + ", std::defer_lock"});
      }
    }
    add_edits(arguments, variants, "");
    if (variants.empty()) return woven({range.begin, range.end});
    std::string text = (type == range.begin ? "" : "const ") +
                       std::string(lock ? "auto" : type_text) + " " + std::string(at(name).text) +
                       " =";
    for (const Variant& variant : variants) {
      text += "\n" + on(variant.number) + " ? " + type_text + open + variant.text + close + " :";
    }
    return text + "\n" + type_text + open + woven(arguments) + close + ";";
  }

  /// `const std::lock_guard lock(mutex_);`, which nobody names again: only its ends matter, and
  /// without it there are none.
  std::string guard(Range range, const std::string& type, Range arguments) {
    std::vector<Variant> variants;
    leave_out(range, variants);
    if (variants.empty()) return plain(range);
    const std::string name(at(declared_name(range)).text);
    return "std::optional<decltype(" + type + "(" + flat(arguments) + "))> " + name + ";" +
           chain(variants, name + ".emplace(" + woven(arguments) + ");");
  }

  [[nodiscard]] bool is_used(std::size_t name, Range range) const {
    for (std::size_t i = range.begin; i < range.end; ++i) {
      if (at(i).text == at(name).text) return true;
    }
    return false;
  }

  std::string local_with_sign(Range range) {
    const std::size_t sign = find(range, "=");
    if (sign == range.end || is(range.begin, "static")) return plain(range);
    return plain({range.begin, sign + 1}) + initializer({sign + 1, range.end - 1}) + ";";
  }

  /// What stands behind `=`.
  std::string initializer(Range range) {
    if (is(range.begin, "{") || find(range, ",") != range.end || starts_lambda(range.begin)) {
      return " " + woven(range);
    }
    std::vector<Variant> variants;
    add_edits(range, variants, "");
    std::string text;
    for (const Variant& variant : variants) {
      text += "\n" + on(variant.number) + " ? " + variant.text + " :";
    }
    return text + (variants.empty() ? " " : "\n") + woven(range);
  }

  // ---- expressions ----------------------------------------------------------------------------

  std::string condition(Range range) {
    std::string before;
    if (const std::size_t end = find(range, ";"); end != range.end) {
      before = plain({range.begin, end + 1}) + " ";
      range.begin = end + 1;
    }
    std::vector<Variant> variants;
    if (is_declaration(range) && find(range, "=") != range.end) {
      const std::size_t sign = find(range, "=");
      before += plain({range.begin, sign + 1}) + initializer({sign + 1, range.end}) + "; ";
      const std::string name(at(declared_name(range)).text);
      deny(range, "(" + name + ")", variants);
      return before + chosen(variants, name);
    }
    deny(range, "(" + flat(range) + ")", variants);
    add_edits(range, variants, "");
    return before + chosen(variants, woven(range));
  }

  /// A condition negated, and made false.
  void deny(Range range, const std::string& value, std::vector<Variant>& variants) {
    const std::string was = shortened(flat(range));
    if (!(range.end - range.begin == 1 && is(range.begin, "true"))) {
      if (const auto number = add(range.begin, "condition negated", was)) {
        variants.push_back({*number, "!" + value});
      }
    }
    if (const auto number = add(range.begin, "condition made false", was)) {
      variants.push_back({*number, "false"});
    }
  }

  static std::string chosen(const std::vector<Variant>& variants, const std::string& core) {
    std::string text;
    for (const Variant& variant : variants) {
      text += "\n" + on(variant.number) + " ? static_cast<bool>(" + variant.text + ") :";
    }
    return text + (variants.empty() ? "" : "\n") + "static_cast<bool>(" + core + ")";
  }

  /// `return a == b;` is a condition as well.
  void add_returned(Range range, std::vector<Variant>& variants) {
    const Range value{range.begin + 1, range.end - 1};
    if (!is(range.begin, "return") || find(value, "?") != value.end) return;
    bool compares = is(value.begin, "!");
    for (std::size_t i = value.begin; i < value.end; i = behind(i)) {
      compares = compares || is_comparison(i) || is(i, "==") || is(i, "!=") || is_logical(i);
    }
    if (!compares) return;
    if (const auto number = add(range.begin, "condition negated", shortened(flat(value)))) {
      variants.push_back({*number, "return !(" + flat(value) + ");"});
    }
  }

  /// All that the rules make of an expression.
  void add_edits(Range range, std::vector<Variant>& variants, const std::string& end) {
    for (const Edit& edit : edits(range)) {
      const auto number = add(edit.cut.begin, edit.rule, described(range, edit));
      if (number) variants.push_back({*number, edited(range, edit) + end});
    }
  }

  /// The change with a few tokens around it.
  [[nodiscard]] std::string described(Range range, const Edit& edit) const {
    constexpr std::size_t around = 8;
    Range shown = range;
    if (edit.cut.begin > range.begin + around) shown.begin = edit.cut.begin - around;
    if (edit.cut.end + around < range.end) shown.end = edit.cut.end + around;
    const std::string before = shown.begin == range.begin ? "" : "...";
    const std::string after = shown.end == range.end ? "" : "...";
    std::string is_now = flat({shown.begin, edit.cut.begin});
    if (edit.cut.begin > shown.begin && space_before(edit.cut.begin)) is_now += ' ';
    is_now += edit.text;
    if (edit.cut.end < shown.end) {
      const bool space = space_before(edit.cut.end) && !is_now.empty() && is_now.back() != ' ';
      is_now += (space ? " " : "") + flat({edit.cut.end, shown.end});
    } else if (is_now.ends_with(' ')) {
      is_now.pop_back();
    }
    return before + flat(shown) + after + " -> " + before + is_now + after;
  }

  [[nodiscard]] bool is_comparison(std::size_t i) const {
    if (is(i, "<=") || is(i, ">=")) return true;
    return (is(i, "<") || is(i, ">")) && space_around(i);
  }
  [[nodiscard]] bool is_logical(std::size_t i) const {
    return (is(i, "&&") || is(i, "||")) && space_around(i);
  }

  [[nodiscard]] std::vector<Edit> edits(Range range) const {
    static const std::map<std::string_view, std::string> moved{
        {"<", "<="}, {"<=", "<"}, {">", ">="}, {">=", ">"}};
    std::vector<Edit> result;
    for (std::size_t i = range.begin; i < range.end; ++i) {
      if (starts_lambda(i)) {
        i = lambda_end(i) - 1;
        continue;
      }
      const Token& token = at(i);
      if (const std::size_t after = behind_arguments(i); after != i) {
        i = after - 1;
      } else if (is_comparison(i)) {
        result.push_back({"comparison moved by one", {i, i + 1}, moved.at(token.text)});
      } else if (is_logical(i)) {
        result.push_back({"and for or", {i, i + 1}, token.is("&&") ? "||" : "&&"});
      } else if (token.is("|") && space_around(i)) {
        add_flags(range, i, result);
      } else if (token.kind == Token::Kind::number) {
        result.push_back({"number plus one", {i, i + 1}, plus_one(token.text)});
      } else if (token.is("true") || token.is("false")) {
        result.push_back({"the other truth", {i, i + 1}, token.is("true") ? "false" : "true"});
      } else if (token.is("notify_all")) {
        result.push_back({"one notified, not all", {i, i + 1}, "notify_one"});
      } else if (is_errno(token)) {
        add_errno(range, i, result);
      } else if (is_flag(token)) {
        add_lone_flag(range, i, result);
      } else if (token.is("?")) {
        add_choice(range, i, result);
      }
    }
    return result;
  }

  [[nodiscard]] bool part_of_name(std::size_t i) const {
    return at(i).kind == Token::Kind::word || is(i, "::");
  }

  /// Each operand of `A | B`.
  void add_flags(Range range, std::size_t sign, std::vector<Edit>& result) const {
    std::size_t end = sign + 1;
    while (end < range.end && part_of_name(end)) ++end;
    const bool right = end > sign + 1 && !is(end, "(") && !is(end, "{") && !is(end, ".");
    if (right) result.push_back({"flag left out", {sign, end}, ""});
    std::size_t begin = sign;
    while (begin > range.begin && part_of_name(begin - 1) && !is(begin - 1, "return")) --begin;
    const bool first = begin == range.begin || !is(begin - 1, "|");
    const bool whole = begin < sign && (begin == range.begin || !is(begin - 1, "."));
    if (first && whole) result.push_back({"flag left out", {begin, sign + 1}, ""});
  }

  /// A flag that is an argument alone.
  void add_lone_flag(Range range, std::size_t i, std::vector<Edit>& result) const {
    const bool begins = i == 0 || i == range.begin || is(i - 1, ",") || is(i - 1, "(");
    const bool ends = i + 1 >= range.end || is(i + 1, ",") || is(i + 1, ")");
    if (begins && ends) result.push_back({"flag left out", {i, i + 1}, "0"});
  }

  /// Where the operand begins that ends at `end`.
  [[nodiscard]] std::size_t operand_begin(Range range, std::size_t end) const {
    std::size_t i = end;
    int depth = 0;
    while (i > range.begin) {
      const Token& before = at(i - 1);
      if (before.is(")") || before.is("]") || before.is("}")) ++depth;
      if (depth == 0 && is_one_of(before, before_operand)) break;
      if (before.is("(") || before.is("[") || before.is("{")) --depth;
      --i;
    }
    return i;
  }

  /// One of several: `errno == EAGAIN || errno == EINTR`.
  void add_errno(Range range, std::size_t i, std::vector<Edit>& result) const {
    if (i == range.begin || !(is(i - 1, "==") || is(i - 1, "!="))) return;
    const std::size_t begin = operand_begin(range, i - 1);
    if (i + 1 < range.end && is_logical(i + 1)) {
      result.push_back({"errno left out", {begin, i + 2}, ""});
    } else if (begin > range.begin && is_logical(begin - 1)) {
      result.push_back({"errno left out", {begin - 1, i + 1}, ""});
    }
  }

  /// The condition of `a ? b : c`.
  void add_choice(Range range, std::size_t sign, std::vector<Edit>& result) const {
    std::size_t begin = operand_begin(range, sign);
    while (begin > range.begin && (is_logical(begin - 1) || is(begin - 1, "!"))) {
      begin = operand_begin(range, begin - 1);
    }
    if (begin == sign) return;
    result.push_back({"condition negated", {begin, sign}, "!(" + flat({begin, sign}) + ")"});
    result.push_back({"condition made false", {begin, sign}, "false"});
  }

  // ---- functions within expressions -----------------------------------------------------------

  [[nodiscard]] bool starts_lambda(std::size_t i) const {
    if (!is(i, "[") || is(i + 1, "[") || close_[i] == 0) return false;
    if (i > 0 && (at(i - 1).kind == Token::Kind::word || is(i - 1, ")") || is(i - 1, "]")) &&
        !is(i - 1, "return")) {
      return false;
    }
    return is(close_[i] + 1, "(") || is(close_[i] + 1, "{");
  }

  [[nodiscard]] std::size_t lambda_body(std::size_t i) const {
    std::size_t body = close_[i] + 1;
    while (!is(body, "{")) body = behind(body);
    return body;
  }
  [[nodiscard]] std::size_t lambda_end(std::size_t i) const { return behind(lambda_body(i)); }

  /// The text as it stands, with the mutants of the functions that are written in it.
  std::string woven(Range range) {
    std::string text;
    std::size_t begin = range.begin;
    for (std::size_t i = range.begin; i < range.end; ++i) {
      if (!starts_lambda(i)) continue;
      const std::size_t body = lambda_body(i);
      if (begin != range.begin) text += between(begin);
      text += plain({begin, body}) + between(body) + function_body(body);
      begin = behind(body);
      i = begin - 1;
    }
    if (begin < range.end)
      text += (begin != range.begin ? between(begin) : "") + plain({begin, range.end});
    return text;
  }

  std::string file_;
  std::string_view source_;
  Tokens tokens_;
  const Functions& given_;
  unsigned next_number_;
  const std::set<std::string>& refused_;
  std::vector<std::size_t> close_;  // of an opening bracket: where it is closed; else 0
  std::string function_;
  Functions functions_;
  std::map<std::string, int> names_;
  std::vector<RuleMutant> mutants_;
};

}  // namespace

RuleSource make_rule_source(const std::string& file, std::string_view source,
                            std::string_view starter, unsigned first,
                            const std::set<std::string>& refused) {
  const Functions none;
  const std::set<std::string> nothing;
  Mutator learners(file, starter, none, 1, nothing);
  (void)learners.make();
  return Mutator(file, source, learners.functions(), first, refused).make();
}

}  // namespace kit
