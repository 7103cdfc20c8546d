// SPDX-License-Identifier: Apache-2.0
// Linked with linked_twice_other.cpp: a function that is not inline is defined twice, and that does not link.

#include <all_headers.hpp>

int other_version();

int main() { return other_version() == RECAL_VERSION_MAJOR ? 0 : 1; }
