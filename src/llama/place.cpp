// SPDX-License-Identifier: MIT
#include "place.hpp"

#include <algorithm>
#include <span>

namespace icpi::llama {

namespace {

/// Shorter beginnings are not worth a sequence.
constexpr std::size_t shortest_prefix = 16;

/// Which tokens of the prompt a prefix has: at least one must be computed, for the logits after it.
std::size_t known_part(const Job& job, std::span<const Token> prefix) {
  return std::min(common_tokens(job.prompt, prefix), job.prompt.size() - 1);
}

/// Decides that the prefix must be computed from where its match ends.
void add_growth(Place& place, const Job& job) {
  const auto& wanted = job.prefix_text.tokens;
  place.is_new = !place.in_place;
  const std::size_t kept = place.in_place                  ? place.match.common
                           : place.match.prefix == nullptr ? 0
                                                           : std::min(place.match.common, place.match.prefix->computed);
  place.growth = wanted.size() - kept;
  place.branch_at = known_part(job, wanted);
}

/// Where keys and values are kept of every token: prefixes may share any beginning.
Place find_among_tokens(PrefixTree& tree, const Job& job) {
  const auto& wanted = job.prefix_text.tokens;
  Place place;
  if (wanted.size() < shortest_prefix) {
    place.match = tree.longest(job.prompt);
    if (place.match.common < shortest_prefix) return {};
    place.branch_at = known_part(job, place.match.prefix->text.tokens);
    return place;
  }
  place.match = tree.longest(wanted);
  if (auto* own = tree.find(job.request.prefix.identity); own != nullptr) {
    const std::size_t common = common_tokens(wanted, own->text.tokens);
    const bool free = own->pins == 0 && own->children == 0;
    if (common == own->text.tokens.size() || common == wanted.size() || free) place.match = {own, common};
    place.in_place = place.match.prefix == own && common < wanted.size() && (common == own->text.tokens.size() || free);
  }
  if (place.match.common < shortest_prefix && !place.in_place) place.match = {};
  if (place.match.common == wanted.size()) {
    place.branch_at = known_part(job, place.match.prefix->text.tokens);
    return place;
  }
  add_growth(place, job);
  return place;
}

/// Where states are kept: what has all tokens of a prefix shares it, and a prefix that somebody uses stays as it is, so that
/// its state is the one behind its last token.
Place find_among_states(PrefixTree& tree, const Job& job) {
  const auto& wanted = job.prefix_text.tokens;
  const auto before_last = std::span(job.prompt).first(job.prompt.size() - 1);
  const bool has_prefix = wanted.size() >= shortest_prefix && wanted.size() <= before_last.size();
  Place place;
  place.match = tree.longest(has_prefix ? std::span(wanted) : before_last, true);
  auto* own = tree.find(job.request.prefix.identity);
  if (own != nullptr && place.match.prefix != nullptr && own->text.tokens.size() == place.match.common &&
      common_tokens(wanted, own->text.tokens) == place.match.common)
    place.match.prefix = own;  // of equals
  if (place.match.common < shortest_prefix) place.match = {};
  if (!has_prefix || place.match.common == wanted.size()) {
    place.branch_at = place.match.common;
    return place;
  }
  place.in_place = place.match.prefix != nullptr && place.match.prefix == own && own->pins == 0 && own->children == 0;
  add_growth(place, job);
  return place;
}

}  // namespace

Place find_place(PrefixTree& tree, const Job& job, bool states) {
  return states ? find_among_states(tree, job) : find_among_tokens(tree, job);
}

}  // namespace icpi::llama
