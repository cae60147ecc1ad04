#include <socketserver/session.hpp>

#include "log_failure.hpp"

namespace socketserver {

std::span<char> Output::write(std::string_view bytes) {
  // What is gone makes room when it is more than what is left: each byte is moved once at most.
  if (sent_ > 0 && sent_ >= bytes_.size() - sent_) {
    bytes_.erase(0, sent_);
    sent_ = 0;
  }
  const std::size_t before = bytes_.size();
  bytes_.append(bytes);
  return {bytes_.data() + before, bytes.size()};
}

void Output::write_later(Source& source) noexcept {
  source_ = &source;
  ask_source();
}

void Output::sent(std::size_t count) noexcept {
  sent_ += count;
  if (sent_ == bytes_.size()) {
    bytes_.clear();
    sent_ = 0;
  }
  ask_source();
}

void Output::ask_source() noexcept {
  if (asking_) return;
  asking_ = true;
  try {
    while (source_ != nullptr && size() < enough) {
      if (!source_->more(*this)) source_ = nullptr;
    }
  } catch (...) {
    log_failure("an answer is cut off", current_exception_text());
    source_ = nullptr;
    end();
  }
  asking_ = false;
}

}  // namespace socketserver
