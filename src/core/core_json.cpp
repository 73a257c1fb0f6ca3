// SPDX-License-Identifier: MIT
#include "icpi/core/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "lone_surrogates.hpp"

namespace icpi {

namespace {

constexpr std::size_t most_levels = 64;

[[noreturn]] void refuse(std::string_view what, std::size_t offset) {
  throw InvalidArgument(fmt::format("JSON: {} at offset {}", what, offset));
}

/// What the library says is wrong, without what it read: that may be any bytes.
std::string reason_in(std::string_view message) {
  message = message.substr(0, message.find("; last read: "));
  message = message.substr(std::min(message.find("syntax error"), message.size()));
  return message.empty() ? "a number that is too large" : std::string(message);
}

/// Where the first value nested too deeply begins in a text that is sound up to there.
std::size_t too_deep_at(std::string_view text) {
  std::size_t level = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char each = text[at];
    const bool is_space = each == ' ' || each == '\t' || each == '\r' || each == '\n';
    if (in_string) {
      if (each == '\\') ++at;
      in_string = each != '"';
    } else if (each == ']' || each == '}') {
      --level;
    } else if (level > most_levels && !is_space) {
      return at;
    } else if (each == '[' || each == '{') {
      ++level;
    } else {
      in_string = each == '"';
    }
  }
  return text.size();
}

}  // namespace

/// Builds a Json from what the library reads, value by value; false ends the reading.
class JsonBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  /// `escaped`: the text was made by escape_lone_surrogates().
  explicit JsonBuilder(bool escaped) : escaped_(escaped) {}

  bool null() override { return add(Json::Kind::null) != nullptr; }
  bool boolean(bool value) override {
    Json* added = add(Json::Kind::boolean);
    if (added != nullptr) added->boolean_ = value;
    return added != nullptr;
  }
  bool number_integer(number_integer_t value) override {
    return add_number(value == 0 ? "-0" : fmt::to_string(value));  // zero is unsigned unless it has a sign
  }
  bool number_unsigned(number_unsigned_t value) override { return add_number(fmt::to_string(value)); }
  bool number_float(number_float_t, const string_t& digits) override {
    std::string text = digits;
    for (char& each : text)  // the library puts the locale's decimal point in the place of the text's
      if (std::string_view("+-0123456789eE").find(each) == std::string_view::npos) each = '.';
    return add_number(std::move(text));
  }
  bool string(string_t& value) override {
    Json* added = add(Json::Kind::string);
    if (added != nullptr) added->text_ = plain(value);
    return added != nullptr;
  }
  bool binary(binary_t&) override { return false; }  // no JSON text has any
  bool start_object(std::size_t) override { return open(Json::Kind::object); }
  bool key(string_t& name) override {
    open_.back()->names_.push_back(plain(name));
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::Kind::array); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) override {
    reason_ = reason_in(error.what());
    position_ = position == 0 ? 0 : position - 1;  // it counts what was read
    return false;
  }

  /// Why reading ended; empty: a value lies too deep.
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
  /// Of the last byte read.
  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  /// What was read.
  [[nodiscard]] Json take() { return std::move(root_); }

 private:
  [[nodiscard]] std::string plain(std::string& text) const {
    return escaped_ ? unescape_lone_surrogates(text) : std::move(text);
  }

  Json* add(Json::Kind kind) {
    if (open_.size() > most_levels) return nullptr;
    Json& added = open_.empty() ? root_ : open_.back()->items_.emplace_back();
    added.kind_ = kind;
    return &added;
  }

  bool add_number(std::string digits) {
    Json* added = add(Json::Kind::number);
    if (added != nullptr) added->text_ = std::move(digits);
    return added != nullptr;
  }

  bool open(Json::Kind kind) {
    Json* added = add(kind);
    if (added != nullptr) open_.push_back(added);
    return added != nullptr;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  bool escaped_;
  Json root_;
  std::vector<Json*> open_;  ///< arrays and objects that are not read to their ends; the innermost grows
  std::string reason_;
  std::size_t position_ = 0;
};

Json Json::parse(std::string_view text) {
  const bool escapes = may_have_lone_surrogates(text);
  const std::string escaped = escapes ? escape_lone_surrogates(text) : std::string();
  const std::string_view read = escapes ? std::string_view(escaped) : text;
  JsonBuilder builder(escapes);
  const bool is_read = nlohmann::json::sax_parse(read.begin(), read.end(), &builder);
  if (!is_read && builder.reason().empty()) refuse("more than 64 levels of nesting", too_deep_at(text));
  if (!is_read) {
    const std::size_t at = builder.position();
    refuse(builder.reason(), escapes ? offset_before_escaping(text, at) : at);
  }
  if (const std::size_t end = text.find('\0'); end != std::string_view::npos)  // the library takes it for the end
    refuse("expected the end", end);
  return builder.take();
}

double Json::number() const {
  const std::string& digits = require(Kind::number, "a number").text_;
  double value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

const Json* Json::find(std::string_view name) const {
  const auto& known = names();
  for (std::size_t i = 0; i < known.size(); ++i)
    if (known[i] == name) return &items_[i];
  return nullptr;
}

const Json& Json::operator[](std::string_view name) const {
  const Json* found = find(name);
  if (found == nullptr) throw InvalidArgument(fmt::format("JSON: member \"{}\" is missing", name));
  return *found;
}

const Json& Json::require(Kind wanted, std::string_view what) const {
  if (kind_ != wanted) throw InvalidArgument(fmt::format("JSON: expected {}", what));
  return *this;
}

namespace {

template <class Integer>
Integer read_whole(const std::string& digits, Integer least, Integer most) {
  Integer value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || value < least || value > most)
    throw InvalidArgument(fmt::format("JSON: {} is not a whole number in range", digits));
  return value;
}

}  // namespace

long long Json::whole(long long least, long long most) const {
  return read_whole(require(Kind::number, "a number").text_, least, most);
}

unsigned long long Json::whole(unsigned long long most) const {
  return read_whole(require(Kind::number, "a number").text_, 0ULL, most);
}

}  // namespace icpi
