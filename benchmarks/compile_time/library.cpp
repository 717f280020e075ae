// SPDX-License-Identifier: Apache-2.0
//
// The large parts, compiled once.
#include <wva_metrics/src.hpp>
