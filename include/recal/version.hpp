// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The version of the headers, as integers for comparisons. CMakeLists.txt reads these lines.
#define RECAL_VERSION_MAJOR 0
#define RECAL_VERSION_MINOR 1
#define RECAL_VERSION_PATCH 0
