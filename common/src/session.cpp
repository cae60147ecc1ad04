#include <socketserver/session.hpp>

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

void Output::sent(std::size_t count) {
  sent_ += count;
  if (sent_ < bytes_.size()) return;
  bytes_.clear();
  sent_ = 0;
  if (source_ != nullptr && !source_->more(*this)) source_ = nullptr;
}

}  // namespace socketserver
