// SPDX-License-Identifier: MIT
// Prompts, and the rollout model that puts them to a language model.
#include "icpi/prompt/example_selection-inl.hpp"
#include "icpi/prompt/memory_event-inl.hpp"
#include "icpi/prompt/prompt_context-inl.hpp"
#include "icpi/prompt/prompt_options-inl.hpp"
#include "icpi/prompt/prompt_source-inl.hpp"
#include "icpi/prompt/prompted_rollout_model-inl.hpp"
#include "icpi/prompt/query_options-inl.hpp"
#include "icpi/prompt/saved_steps-inl.hpp"
#include "icpi/prompt/trajectory_selection-inl.hpp"
#include "icpi/prompt/transition_text-inl.hpp"
