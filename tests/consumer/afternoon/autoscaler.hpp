// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wva_metrics/any_collector.hpp>

#include <boost/asio/awaitable.hpp>

#include <vector>

// Your autoscaler: what the collector is made of is not its business, and not its compile time.
boost::asio::awaitable<void> reconcile(wva_metrics::AnyCollector& collector,
                                       std::vector<wva_metrics::VariantAutoscaling> variants);
