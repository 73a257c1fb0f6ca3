// SPDX-License-Identifier: MIT
#pragma once

/// What is said to the database. Rows are locked in the order of their keys everywhere, so that no two statements wait for
/// each other.
namespace icpi::postgres::statements {

// A row is an answer, or a claim: then `record` is null. Which rows were not used for longest is known to the hour.
inline constexpr const char* make_schema = R"(
  CREATE TABLE icpi_cache_schema (version bigint NOT NULL))";
inline constexpr const char* make_answers = R"(
  CREATE TABLE icpi_completions (
    key text COLLATE "C" PRIMARY KEY,
    record bytea,
    used timestamptz NOT NULL DEFAULT clock_timestamp(),
    claimant text,
    request bigint,
    lease_end timestamptz,
    claims bigint NOT NULL DEFAULT 0))";
inline constexpr const char* make_index =
    "CREATE INDEX icpi_claims ON icpi_completions (claimant) WHERE record IS NULL";

inline constexpr const char* find_answers = R"(
  SELECT key, record, used < clock_timestamp() - interval '1 hour' FROM icpi_completions
  WHERE key = ANY($1::text[]) AND record IS NOT NULL)";

// Whoever repeats a request after a lost connection finds its own claims by the request's number. A claim that ends later
// than any could was made before the database's clock was set back.
inline constexpr const char* claim = R"(
  INSERT INTO icpi_completions (key, claimant, request, lease_end, claims)
    SELECT wanted, $2::text, $3::bigint, clock_timestamp() + $4::bigint * interval '1 ms', 1
    FROM unnest($1::text[]) AS wanted ORDER BY wanted
  ON CONFLICT (key) DO UPDATE
    SET claimant = excluded.claimant, request = excluded.request, lease_end = excluded.lease_end,
        claims = icpi_completions.claims + ((icpi_completions.claimant, icpi_completions.request)
          IS DISTINCT FROM (excluded.claimant, excluded.request))::int
    WHERE icpi_completions.record IS NULL AND
      (icpi_completions.lease_end < clock_timestamp() OR
       icpi_completions.lease_end > clock_timestamp() + interval '1 hour 1 minute' OR
       (icpi_completions.claimant = excluded.claimant AND icpi_completions.request = excluded.request))
  RETURNING key, claims)";

inline constexpr const char* keep = R"(
  INSERT INTO icpi_completions (key, record)
    SELECT answered, answer FROM unnest($1::text[], $2::bytea[]) AS answers (answered, answer) ORDER BY answered
  ON CONFLICT (key) DO UPDATE
    SET record = excluded.record, used = excluded.used, claimant = NULL, request = NULL, lease_end = NULL
    WHERE icpi_completions.record IS NULL)";

inline constexpr const char* let_go = R"(
  DELETE FROM icpi_completions WHERE key IN (
    SELECT key FROM icpi_completions WHERE key = ANY($1::text[]) AND record IS NULL AND claimant = $2::text
    ORDER BY key FOR UPDATE))";
inline constexpr const char* let_all_go = R"(
  DELETE FROM icpi_completions WHERE key IN (
    SELECT key FROM icpi_completions WHERE record IS NULL AND claimant = $1::text ORDER BY key FOR UPDATE))";
inline constexpr const char* renew = R"(
  UPDATE icpi_completions SET lease_end = clock_timestamp() + $2::bigint * interval '1 ms' WHERE key IN (
    SELECT key FROM icpi_completions WHERE record IS NULL AND claimant = $1::text ORDER BY key FOR UPDATE))";
inline constexpr const char* next_page = R"(
  SELECT key, record FROM icpi_completions WHERE record IS NOT NULL AND key > $1::text ORDER BY key LIMIT 1000)";
inline constexpr const char* prune = R"(
  DELETE FROM icpi_completions WHERE key IN (
    SELECT key FROM icpi_completions
    WHERE record IS NOT NULL AND used < clock_timestamp() - $1::bigint * interval '1 s'
    ORDER BY key FOR UPDATE))";
inline constexpr const char* drop_damaged = "DELETE FROM icpi_completions WHERE key = $1::text AND record = $2::bytea";
inline constexpr const char* note_uses = R"(
  UPDATE icpi_completions SET used = clock_timestamp() WHERE key IN (
    SELECT key FROM icpi_completions WHERE key = ANY($1::text[]) ORDER BY key FOR UPDATE SKIP LOCKED))";

}  // namespace icpi::postgres::statements
