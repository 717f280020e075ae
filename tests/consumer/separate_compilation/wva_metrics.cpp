// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/impl/src.hpp>
#ifdef WVA_METRICS_WITH_TLS
#include <boost/asio/ssl/impl/src.hpp>
#endif
#include <boost/beast/src.hpp>

// wva_metrics.cpp
#include <wva_metrics/src.hpp>
