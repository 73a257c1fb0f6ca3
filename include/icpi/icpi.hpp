// SPDX-License-Identifier: MIT
#pragma once

// Everything but the leaves (domains, baselines, experiment, testing, the oracle) and the adapters (http, llama, store), from the
// bottom up. Each header can be included on its own, and then costs only what it includes.

// 0: values
#include "icpi/core/costs.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/prompt_text.hpp"
#include "icpi/core/random.hpp"
#include "icpi/core/transition.hpp"
#include "icpi/version.hpp"

// 1: what users bring
#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/line_formatter.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/concepts/text_scanner.hpp"

// 2: experience, prompts, models
#include "icpi/models/any_language_model.hpp"
#include "icpi/models/budget.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/models/recording.hpp"
#include "icpi/models/scripted.hpp"
#include "icpi/models/stop_on_failure.hpp"
#include "icpi/prompt/example_selection.hpp"
#include "icpi/prompt/prompt_options.hpp"
#include "icpi/prompt/query_options.hpp"
#include "icpi/prompt/trajectory_selection.hpp"
#include "icpi/replay/trajectory_buffer.hpp"

// 3: imagined trajectories
#include "icpi/rollout/engine.hpp"
#include "icpi/rollout/mean_of_rollouts.hpp"
#include "icpi/rollout/planner.hpp"
#include "icpi/rollout/planning.hpp"
#include "icpi/rollout/policy_alone.hpp"
#include "icpi/rollout/rollout.hpp"
#include "icpi/rollout/value_estimator.hpp"

// 4: the agent
#include "icpi/policy/action_selection.hpp"
#include "icpi/policy/agent.hpp"
#include "icpi/policy/exploration.hpp"
#include "icpi/policy/optimism.hpp"
#include "icpi/policy/options.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/policy/rollout_agent.hpp"
#include "icpi/policy/training.hpp"
