// SPDX-License-Identifier: MIT

int listed();

int without_a_reason();
