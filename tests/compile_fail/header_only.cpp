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
// case 5: icpi/http is compiled: link icpi::http, which brings icpi::icpi, instead of icpi::header_only
// case 6: icpi/llama is compiled: link icpi::llama, which brings icpi::icpi, instead of icpi::header_only
// case 7: icpi/store is compiled: link icpi::store, which brings icpi::icpi, instead of icpi::header_only
#if ICPI_BROKEN == 4
#include "icpi/experiment/record_log.hpp"
#elif ICPI_BROKEN == 5
#include "icpi/http/language_model.hpp"
#elif ICPI_BROKEN == 6
#include "icpi/llama/language_model.hpp"
#elif ICPI_BROKEN == 7
#include "icpi/store/completion_cache.hpp"
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
