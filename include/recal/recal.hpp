// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Every module. Networks and training are in <recal/nn/...> and <recal/train/...>.
#include <recal/eca.hpp>
#include <recal/gct.hpp>
#include <recal/ge.hpp>
#include <recal/grn.hpp>
#include <recal/se.hpp>
#include <recal/srm.hpp>
#include <recal/version.hpp>
