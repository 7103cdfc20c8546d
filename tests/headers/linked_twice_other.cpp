// SPDX-License-Identifier: Apache-2.0

#include <all_headers.hpp>

int other_version();
int other_version() { return RECAL_VERSION_MAJOR; }
