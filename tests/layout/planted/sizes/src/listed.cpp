// SPDX-License-Identifier: MIT

int listed();

int with_a_reason();
