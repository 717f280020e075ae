// SPDX-License-Identifier: Apache-2.0
#pragma once

// 0.x: a minor version may change the interface; a patch version does not.

#define WVA_METRICS_VERSION_MAJOR 0
#define WVA_METRICS_VERSION_MINOR 7
#define WVA_METRICS_VERSION_PATCH 0
#define WVA_METRICS_VERSION_STRING "0.7.0"
