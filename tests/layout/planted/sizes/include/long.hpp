// SPDX-License-Identifier: MIT
#pragma once

int too_long();
