// SPDX-License-Identifier: MIT
// What the headers alone do not have says so where it is used.
#define ICPI_HEADER_ONLY
#include <string>

#include "icpi/core/json.hpp"
#include "icpi/models/recording.hpp"
#include "icpi/models/scripted.hpp"

// case 1: reading JSON needs the library icpi::icpi
// case 2: recording needs the library icpi::icpi
// case 3: replaying needs the library icpi::icpi
// case 4: icpi/experiment is compiled: link icpi::icpi instead of icpi::header_only
#if ICPI_BROKEN == 4
#include "icpi/experiment/record_log.hpp"
#endif

void use(icpi::ScriptedModel model, const std::string& text) {
#if ICPI_BROKEN == 1
  (void)icpi::Json::parse(text);
#elif ICPI_BROKEN == 2
  icpi::RecordingModel<icpi::ScriptedModel>(model, text);
#elif ICPI_BROKEN == 3
  icpi::ReplayingModel{text};
#endif
  (void)model;
  (void)text;
}
