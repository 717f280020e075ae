// SPDX-License-Identifier: Apache-2.0
//
// A unit that includes everything and uses nothing.
#include <wva_metrics/wva_metrics.hpp>
