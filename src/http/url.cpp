// SPDX-License-Identifier: MIT
#include "url.hpp"

#include <memory>

#include <curl/curl.h>
#include <fmt/format.h>

#include "icpi/core/error.hpp"

namespace icpi::http {

namespace {

class ParsedUrl {
 public:
  explicit ParsedUrl(const std::string& text) : handle_(curl_url(), curl_url_cleanup) {
    valid_ = handle_ && curl_url_set(handle_.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
  }
  [[nodiscard]] bool valid() const noexcept { return valid_; }
  [[nodiscard]] std::string part(CURLUPart which) const {
    char* text = nullptr;
    if (curl_url_get(handle_.get(), which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
    std::string copy = text;
    curl_free(text);
    return copy;
  }
  [[nodiscard]] std::string origin() const {
    return part(CURLUPART_SCHEME) + "://" + part(CURLUPART_HOST) + ":" + part(CURLUPART_PORT);
  }

 private:
  std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> handle_;
  bool valid_ = false;
};

}  // namespace

std::string BaseUrl::root() const {
  constexpr std::string_view version = "/v1";
  const bool versioned = path.size() >= version.size() && path.ends_with(version);
  return origin + (versioned ? path.substr(0, path.size() - version.size()) : path);
}

BaseUrl parse_base_url(std::string_view text) {
  const bool has_scheme = text.find("://") != std::string_view::npos;
  const ParsedUrl url(has_scheme ? std::string(text) : fmt::format("http://{}", text));
  if (!url.valid() || url.part(CURLUPART_HOST).empty()) {
    throw InvalidArgument(
        "http::Options::base_urls: an entry is not a URL; expected https://host/v1, http://host:port or host:port");
  }
  const std::string scheme = url.part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    throw InvalidArgument(fmt::format("http::Options::base_urls: scheme '{}' is neither http nor https", scheme));
  }
  if (!url.part(CURLUPART_USER).empty() || !url.part(CURLUPART_PASSWORD).empty() ||
      !url.part(CURLUPART_QUERY).empty() || !url.part(CURLUPART_FRAGMENT).empty()) {
    throw InvalidArgument(
        fmt::format("http::Options::base_urls: {} carries credentials, a query or a fragment; keys belong into "
                    "api_key_env, queries "
                    "into request.query (--query NAME=VALUE)",
                    url.origin()));
  }
  BaseUrl result;
  result.origin = url.origin();
  result.path = url.part(CURLUPART_PATH);
  while (result.path.ends_with('/')) result.path.pop_back();
  if (result.path.empty()) result.path = "/v1";
  result.secure = scheme == "https";
  return result;
}

bool same_origin(const BaseUrl& base, const std::string& url) {
  const ParsedUrl parsed(url);
  return parsed.valid() && parsed.origin() == base.origin;
}

}  // namespace icpi::http
