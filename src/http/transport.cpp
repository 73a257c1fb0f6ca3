// SPDX-License-Identifier: MIT
#include "transport.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "durations.hpp"
#include "icpi/core/error.hpp"

namespace icpi::http {

namespace {

constexpr std::size_t kept_buffers = 128;
constexpr std::size_t most_added = 64;  // servers whose connections are kept too

void initialise_curl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw Error("http: libcurl cannot be initialised");
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  return result;
}

std::string header_of(CURL* easy, const std::string& name) {
  curl_header* header = nullptr;
  return curl_easy_header(easy, name.c_str(), 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : "";
}

/// Whether nothing is left of the limit whose end this header names. True where that is not told.
bool used_up(CURL* easy, std::string name) {
  name.replace(name.find("reset"), 5, "remaining");
  const std::string left = header_of(easy, name);
  return left.empty() || parse_wait(left).value_or(0) <= 0;
}

/// Seconds that an answer asks to wait; 0: it does not ask. Ends of limits count where a limit was passed.
double requested_wait(CURL* easy, long status) {
  const double told_now = parse_date(header_of(easy, "date"));
  if (const auto milliseconds = parse_wait(header_of(easy, "retry-after-ms"))) return *milliseconds / 1000;
  if (const auto seconds = parse_wait(header_of(easy, "retry-after"), told_now)) return *seconds;
  if (status != 429) return 0;
  std::vector<std::pair<std::string, double>> ends;  // first: looking up another header moves the place in the list
  curl_header* header = nullptr;
  while ((header = curl_easy_nextheader(easy, CURLH_HEADER, -1, header)) != nullptr) {
    std::string name = lower(header->name);
    const bool limit = name.find("ratelimit") != std::string::npos && name.find("reset") != std::string::npos;
    if (limit) ends.emplace_back(std::move(name), parse_reset(header->value, told_now).value_or(0));
  }
  double longest = 0;
  for (const auto& [name, seconds] : ends) {
    if (used_up(easy, name)) longest = std::max(longest, seconds);
  }
  return longest;
}

/// The headers that tell of rate limits; where there are some, after the one that says when that was.
std::vector<std::pair<std::string, std::string>> limits_of(CURL* easy) {
  std::vector<std::pair<std::string, std::string>> limits;
  curl_header* header = nullptr;
  while ((header = curl_easy_nextheader(easy, CURLH_HEADER, -1, header)) != nullptr) {
    const std::string_view name(header->name);
    if (name.find("imit-") == std::string_view::npos) continue;  // most headers are none, whatever their case
    std::string small = lower(name);
    if (small.find("ratelimit-") != std::string::npos) limits.emplace_back(std::move(small), header->value);
  }
  if (limits.empty()) return limits;
  if (std::string date = header_of(easy, "date"); !date.empty())
    limits.emplace(limits.begin(), "date", std::move(date));
  return limits;
}

curl_slist* append(curl_slist* list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list, line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  return longer;
}

}  // namespace

bool never_reached(const TransferResult& result) {
  switch (result.code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT: return true;
    case CURLE_OPERATION_TIMEDOUT: return !result.connected;
    default: return false;
  }
}

struct Transport::Transfer {
  explicit Transfer(TransferId number, std::size_t limit)
      : id(number), max_response_bytes(limit), easy(curl_easy_init()) {
    if (easy == nullptr) throw std::bad_alloc();
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() { curl_easy_cleanup(easy); }

  TransferId id;
  std::size_t max_response_bytes;
  CURL* easy;
  bool active = false;
  bool too_large = false;
  std::string url;
  std::string request;
  std::string response;
  std::array<char, CURL_ERROR_SIZE> error{};
};

Transport::Transport(const Options& options, const std::vector<std::string>& headers)
    : max_response_bytes_(options.max_response_bytes),
      ca_file_(options.ca_file),
      connect_timeout_ms_(static_cast<long>(options.connect_timeout.count())) {
  initialise_curl();
  const auto is_type = [](const std::string& line) { return line.starts_with("Content-Type:"); };
  if (std::none_of(headers.begin(), headers.end(), is_type))
    headers_ = append(headers_, "Content-Type: application/json");
  headers_ = append(headers_, "Accept: application/json");
  headers_ = append(headers_, "Expect:");  // curl would wait a second before it sends a large body
  for (const std::string& line : headers) headers_ = append(headers_, line);
  multi_ = curl_multi_init();
  if (multi_ == nullptr) throw std::bad_alloc();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Transport::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Transport::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  const std::size_t servers = options.base_urls.size() + (options.endpoints_file.empty() ? 0 : most_added);
  const std::size_t connections = options.concurrency * servers + 8;
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(connections));
}

Transport::~Transport() {
  for (const auto& transfer : transfers_) {
    if (transfer->active) curl_multi_remove_handle(multi_, transfer->easy);
  }
  transfers_.clear();
  curl_multi_cleanup(multi_);
  curl_slist_free_all(headers_);
}

int Transport::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  auto& sockets = static_cast<Transport*>(self)->sockets_;
  const auto found = std::find_if(sockets.begin(), sockets.end(), [&](const pollfd& p) { return p.fd == socket; });
  if (what == CURL_POLL_REMOVE) {
    if (found != sockets.end()) {
      *found = sockets.back();
      sockets.pop_back();
    }
    return 0;
  }
  int events = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= POLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= POLLOUT;
  if (found == sockets.end()) {
    sockets.push_back({socket, static_cast<short>(events), 0});
  } else {
    found->events = static_cast<short>(events);
  }
  return 0;
}

int Transport::on_timer(CURLM*, long milliseconds, void* self) {
  auto& timer = static_cast<Transport*>(self)->timer_;
  if (milliseconds < 0) {
    timer.reset();
  } else {
    timer = Clock::now() + std::chrono::milliseconds(milliseconds);
  }
  return 0;
}

std::size_t Transport::on_body(char* data, std::size_t size, std::size_t count, void* pointer) {
  auto& transfer = *static_cast<Transfer*>(pointer);
  const std::size_t bytes = size * count;
  if (bytes > transfer.max_response_bytes - transfer.response.size()) {
    transfer.too_large = true;
    return 0;
  }
  transfer.response.append(data, bytes);
  return bytes;
}

Transport::Transfer& Transport::new_transfer() {
  if (!free_.empty()) {
    Transfer& transfer = *transfers_[free_.back()];
    free_.pop_back();
    return transfer;
  }
  auto transfer = std::make_unique<Transfer>(transfers_.size(), max_response_bytes_);
  CURL* easy = transfer->easy;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer.get());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transport::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error.data());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms_);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "icpi");
  if (!ca_file_.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file_.c_str());
  transfers_.push_back(std::move(transfer));
  return *transfers_.back();
}

TransferId Transport::start(const std::string& url, std::optional<std::string> body) {
  Transfer& transfer = new_transfer();
  transfer.too_large = false;
  transfer.error[0] = '\0';
  transfer.response = take_buffer();
  if (transfer.url != url) {
    transfer.url = url;
    curl_easy_setopt(transfer.easy, CURLOPT_URL, url.c_str());
    // One HTTP/2 connection for many requests instead of many connections while it is being opened.
    curl_easy_setopt(transfer.easy, CURLOPT_PIPEWAIT, url.starts_with("https") ? 1L : 0L);
  }
  if (body) {
    transfer.request = std::move(*body);
    curl_easy_setopt(transfer.easy, CURLOPT_POST, 1L);
    curl_easy_setopt(transfer.easy, CURLOPT_POSTFIELDS, transfer.request.data());
    curl_easy_setopt(transfer.easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(transfer.request.size()));
  } else {
    curl_easy_setopt(transfer.easy, CURLOPT_HTTPGET, 1L);
  }
  transfer.active = true;
  ++running_;
  curl_multi_add_handle(multi_, transfer.easy);
  fire_timer();
  return transfer.id;
}

std::string Transport::take_buffer() {
  if (buffers_.empty()) return {};
  std::string buffer = std::move(buffers_.back());
  buffers_.pop_back();
  buffer.clear();
  return buffer;
}

void Transport::recycle(std::string buffer) {
  if (buffers_.size() < kept_buffers && buffer.capacity() > 0) buffers_.push_back(std::move(buffer));
}

void Transport::release(Transfer& transfer) {
  curl_multi_remove_handle(multi_, transfer.easy);
  transfer.active = false;
  --running_;
  recycle(std::move(transfer.request));
  free_.push_back(transfer.id);
}

void Transport::abort(TransferId id) {
  Transfer& transfer = *transfers_[id];
  release(transfer);
  recycle(std::move(transfer.response));
}

void Transport::fire_timer() {
  if (!timer_ || *timer_ > Clock::now()) return;
  timer_.reset();
  int running = 0;
  curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
}

void Transport::run(Clock::duration wait, std::vector<TransferResult>& ended) {
  fire_timer();
  const std::size_t before = ended.size();
  read_messages(ended);
  if (ended.size() > before) wait = Clock::duration::zero();
  if (timer_) wait = std::min(wait, std::max(Clock::duration::zero(), *timer_ - Clock::now()));
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(std::max(wait, Clock::duration::zero()));
  const int timeout = static_cast<int>(std::min<long long>(milliseconds.count(), 3'600'000));
  ready_.assign(sockets_.begin(), sockets_.end());  // curl changes sockets_ while it works through them
  if (poll(ready_.data(), static_cast<nfds_t>(ready_.size()), timeout) > 0) {
    for (const pollfd& socket : ready_) {
      if (socket.revents == 0) continue;
      int events = 0;
      if ((socket.revents & POLLIN) != 0) events |= CURL_CSELECT_IN;
      if ((socket.revents & POLLOUT) != 0) events |= CURL_CSELECT_OUT;
      if ((socket.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) events |= CURL_CSELECT_IN | CURL_CSELECT_ERR;
      int running = 0;
      curl_multi_socket_action(multi_, socket.fd, events, &running);
    }
  }
  fire_timer();
  read_messages(ended);
}

void Transport::read_messages(std::vector<TransferResult>& ended) {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    char* pointer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &pointer);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): curl hands CURLOPT_PRIVATE back as char*
    ended.push_back(finish(*reinterpret_cast<Transfer*>(pointer), code));
  }
}

/// What matters of failures and of what the probe asks.
void Transport::describe(Transfer& transfer, TransferResult& result) {
  curl_off_t pretransfer = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
  result.connected = pretransfer > 0;
  result.retry_after_seconds = requested_wait(transfer.easy, result.status);
  char* redirect = nullptr;
  curl_easy_getinfo(transfer.easy, CURLINFO_REDIRECT_URL, &redirect);
  if (redirect != nullptr) result.redirect_url = redirect;
  curl_header* header = nullptr;
  if (curl_easy_header(transfer.easy, "Server", 0, CURLH_HEADER, -1, &header) == CURLHE_OK) {
    result.server = header->value;
  }
  if (result.code != CURLE_OK) {
    result.error = transfer.error[0] != '\0' ? transfer.error.data() : curl_easy_strerror(result.code);
  }
}

TransferResult Transport::finish(Transfer& transfer, CURLcode code) {
  TransferResult result;
  result.id = transfer.id;
  result.code = code;
  result.too_large = transfer.too_large;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &result.status);
  const bool answered = code == CURLE_OK && result.status >= 200 && result.status < 300;
  if (code == CURLE_OK) result.limits = limits_of(transfer.easy);
  if (!answered || transfer.request.empty()) describe(transfer, result);
  result.body = std::move(transfer.response);
  release(transfer);
  return result;
}

}  // namespace icpi::http
