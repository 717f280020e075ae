// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/settings/plugin/plugin.hpp"

WVA_METRICS_EXPORT_BACKEND(nullptr, nullptr);
