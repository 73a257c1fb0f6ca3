// SPDX-License-Identifier: MIT
#include "connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <thread>
#include <utility>

namespace icpi::postgres {

namespace {

// PostgreSQL's numbers of these types.
constexpr std::uint32_t type_of_bytea = 17;
constexpr std::uint32_t type_of_text = 25;

/// Big-endian.
template <class Number>
void append_number(Number number, std::string& out) {
  const auto bits = static_cast<std::uint64_t>(number);
  for (std::size_t i = sizeof(Number); i-- > 0;) out += static_cast<char>(bits >> 8U * i & 0xFFU);
}

/// What the database said, in one line.
std::string one_line(std::string_view text) {
  std::string line(text);
  while (line.ends_with('\n')) line.pop_back();
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

/// Whether the connection ended, or will: what the server itself refuses has a code, and few codes say that.
bool ends_connection(PGconn* connection, const PGresult* result) {
  const char* const code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (code == nullptr || PQstatus(connection) == CONNECTION_BAD) return true;
  const std::string_view state = code;
  return state.starts_with("08") || state.starts_with("57P");
}

}  // namespace

Parameters& Parameters::add(std::string_view text) {
  values_.emplace_back(text);
  return *this;
}

Parameters& Parameters::add(std::int64_t number) {
  append_number(number, values_.emplace_back());
  return *this;
}

Parameters& Parameters::add(std::span<const std::string> texts) { return add_array(texts, type_of_text); }

Parameters& Parameters::add_bytes(std::span<const std::string> texts) { return add_array(texts, type_of_bytea); }

Parameters& Parameters::add_array(std::span<const std::string> texts, std::uint32_t type) {
  std::string& array = values_.emplace_back();
  append_number(std::int32_t{1}, array);  // dimensions
  append_number(std::int32_t{0}, array);  // none is null
  append_number(type, array);
  append_number(static_cast<std::int32_t>(texts.size()), array);
  append_number(std::int32_t{1}, array);  // the first one's number
  for (const std::string& text : texts) {
    append_number(static_cast<std::int32_t>(text.size()), array);
    array += text;
  }
  return *this;
}

std::string_view Rows::text(int row, int column) const noexcept {
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t Rows::number(int row, int column) const noexcept {
  std::uint64_t bits = 0;
  for (const char each : text(row, column)) bits = bits << 8U | static_cast<unsigned char>(each);
  return std::bit_cast<std::int64_t>(bits);
}

bool Rows::truth(int row, int column) const noexcept { return text(row, column) != std::string_view("\0", 1); }

std::uint64_t Rows::changed() const noexcept {
  const std::string_view said = PQcmdTuples(result_.get());
  std::uint64_t count = 0;
  std::from_chars(said.data(), said.data() + said.size(), count);
  return count;
}

void check_connection(const std::string& words) {
  char* problem = nullptr;
  PQconninfoOption* const options = PQconninfoParse(words.c_str(), &problem);
  if (options == nullptr) {
    std::string reason = problem == nullptr ? "out of memory" : problem;
    PQfreemem(problem);
    while (reason.ends_with('\n')) reason.pop_back();
    throw InvalidArgument(fmt::format("DatabaseOptions::connection: {}", reason));
  }
  bool has_password = false;
  for (const PQconninfoOption* each = options; each->keyword != nullptr; ++each)
    has_password = has_password || (std::string_view(each->keyword).ends_with("password") && each->val != nullptr);
  PQconninfoFree(options);
  if (has_password)
    throw InvalidArgument(
        "DatabaseOptions::connection holds a password; allowed: none, libpq finds it in ~/.pgpass, PGPASSFILE, a "
        "service "
        "file or PGPASSWORD");
}

Connection::Connection(const std::string& words) {
  // The connection's own words come last, and count.
  const std::array<const char*, 5> names{"connect_timeout", "tcp_user_timeout", "application_name", "dbname", nullptr};
  const std::array<const char*, 5> values{"10", "30000", "icpi", words.c_str(), nullptr};
  handle_.reset(PQconnectdbParams(names.data(), values.data(), 1));
  if (PQstatus(handle_.get()) != CONNECTION_OK) throw ConnectionLost(one_line(PQerrorMessage(handle_.get())));
  // What it says beside errors would go to standard error.
  PQsetNoticeProcessor(
      handle_.get(), [](void*, const char*) {}, nullptr);
}

Rows Connection::run(const char* statement, const Parameters& parameters) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const std::string& value : parameters.values()) {
    values.push_back(value.data());
    lengths.push_back(static_cast<int>(value.size()));
  }
  const std::vector<int> binary(values.size(), 1);
  PGresult* const result = PQexecParams(handle_.get(), statement, static_cast<int>(values.size()), nullptr,
                                        values.data(), lengths.data(), binary.data(), 1);
  Rows rows(result);
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return rows;
  const std::string reason = one_line(PQerrorMessage(handle_.get()));
  if (ends_connection(handle_.get(), result)) throw ConnectionLost(reason);
  throw Error(fmt::format("completion cache {}: {}", name(), reason));
}

std::string Connection::name() const {
  const char* const host = PQhost(handle_.get());
  return fmt::format("{} at {}", PQdb(handle_.get()), host == nullptr || *host == '\0' ? "this machine" : host);
}

Pool::Pool(std::string words, std::size_t most, std::chrono::milliseconds patience,
           std::function<void(std::string_view)> notice)
    : words_(std::move(words)), most_(most), patience_(patience), notice_(std::move(notice)) {}

std::unique_ptr<Connection> Pool::take() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return lent_ < most_; });
  ++lent_;
  if (idle_.empty()) return nullptr;
  auto connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    if (connection)
      idle_.push_back(std::move(connection));
    else
      idle_.clear();  // the others were lost with it
  }
  returned_.notify_one();
}

void Pool::wait_again(int attempt, Clock::time_point give_up, const std::string& reason) {
  if (attempt == 0) tell("was lost, and is tried again: " + reason);
  const auto pause =
      std::min(std::chrono::milliseconds(50) * (1 << std::min(attempt, 5)), std::chrono::milliseconds(1000));
  if (Clock::now() + pause > give_up)
    throw Error(fmt::format("completion cache: its database cannot be reached: {}", reason));
  std::this_thread::sleep_for(pause);
}

void Pool::tell(std::string_view what) const {
  if (notice_) notice_(fmt::format("completion cache: its database {}", what));
}

}  // namespace icpi::postgres
