// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The large parts of the library, compiled once. Include this in exactly one source file of a
/// program that defines `WVA_METRICS_SEPARATE_COMPILATION` for all of its source files:
///
///     // wva_metrics.cpp
///     #include <wva_metrics/src.hpp>
///
/// It needs the same components as the program: link `wva_metrics::tls` or `wva_metrics::gzip` to
/// this file too if the program uses them.
///
/// The class templates are compiled for `any_io_executor`. A source file that uses one with another
/// executor includes its definitions itself, for example `wva_metrics/http/impl/client.hpp`.

#ifndef WVA_METRICS_SEPARATE_COMPILATION
#error "wva_metrics/src.hpp: define WVA_METRICS_SEPARATE_COMPILATION for every source file"
#endif

#include "wva_metrics/backend/impl/epp_backend.hpp"
#include "wva_metrics/backend/impl/pod_backend.hpp"
#include "wva_metrics/backend/impl/prometheus_backend.hpp"
#include "wva_metrics/http/impl/client.hpp"
#include "wva_metrics/kubernetes/impl/owner_resolver.hpp"
#include "wva_metrics/kubernetes/impl/variant_watcher.hpp"
#include "wva_metrics/prometheus/impl/client.hpp"
#include "wva_metrics/settings/impl/apply_settings.hpp"
#include "wva_metrics/settings/impl/collector_factory.hpp"
#include "wva_metrics/settings/impl/find_in_kubernetes.hpp"
#include "wva_metrics/settings/impl/load_settings.hpp"
#include "wva_metrics/settings/impl/read_settings.hpp"
#include "wva_metrics/settings/impl/validate_settings.hpp"
#include "wva_metrics/settings/impl/write_settings.hpp"

#include <boost/asio/any_io_executor.hpp>

namespace wva_metrics {

template class http::BasicClient<boost::asio::any_io_executor>;
template class prometheus::BasicClient<boost::asio::any_io_executor>;
template class BasicEppBackend<boost::asio::any_io_executor>;
template class BasicPrometheusBackend<boost::asio::any_io_executor>;
template class BasicPodBackend<boost::asio::any_io_executor>;
template class kubernetes::BasicOwnerResolver<boost::asio::any_io_executor>;
template class kubernetes::BasicVariantWatcher<boost::asio::any_io_executor>;

} // namespace wva_metrics
