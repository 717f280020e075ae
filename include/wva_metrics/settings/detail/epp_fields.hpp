// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/epp_config.hpp"
#include "wva_metrics/backend/epp_names.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/field.hpp"
#include "wva_metrics/settings/detail/http_fields.hpp"
#include "wva_metrics/settings/detail/pod_fields.hpp"

#include <array>
#include <cstddef>
#include <string_view>

// The fields of the backend that reads an endpoint picker. See settings_fields.hpp.

namespace wva_metrics::detail {

inline void describe_fields(FieldList list, EppNames& names) {
    // In the order of the enumeration.
    constexpr std::array<std::string_view, epp_metric_count> meanings = {
        "Gauge: endpoints of the pool whose metrics are fresh.",
        "Gauge: mean KV cache usage of the fresh endpoints, 0 to 1.",
        "Gauge: mean number of waiting requests.",
        "Gauge: mean number of running requests.",
        "Gauges: waiting requests of each endpoint.",
        "Gauges: requests that the EPP itself holds, per model and priority.",
        "Gauges: their bytes.",
        "Gauges: saturation of the pool; 1 is the set point.",
        "Gauges: endpoints without fresh metrics.",
        "Gauge: share of the EPP's request capacity in use.",
        "Gauge: share of the EPP's byte capacity in use.",
        "Counters: requests that left flow control, by outcome.",
        "Histogram: it shows that flow control runs.",
        "Counters: scheduling attempts, by status and endpoint.",
        "Counters: requests of a model.",
        "Gauges: requests of a model in flight.",
        "Histograms: prompt tokens per request.",
        "Histograms: generated tokens per request.",
        "Histograms: time to first token, in seconds.",
        "Histograms: inter-token latency, in seconds.",
    };
    for (std::size_t i = 0; i < epp_metric_count; ++i) {
        const auto metric = static_cast<EppMetric>(i);
        list.add(to_string(metric), names[metric], meanings[i]);
    }
}

inline void describe_fields(FieldList list, EppConfig& epp) {
    FieldList client = list.group("client");
    client.add("url", epp.client.url,
               "URL of the page: `http://host:port`; without a path, `/metrics` is asked.",
               Secrecy::url);
    describe_page_client(client, epp.client);
    list.add("namespace", epp.namespace_name,
             "Namespace of the EPP and its pool, required: its metrics do not say it.");
    list.add("pool", epp.pool,
             "The pool, for an EPP whose page has several; empty = the page's only one.");
    list.add(
        "models", epp.models,
        "Models that the pool's servers serve; empty = those that the page names. Replicas are "
        "known only where this is one.");
    list.add("rate_window", epp.rate_window, "Window of rates and averages, `1s` to `1h`.");
    list.add("peak_window", epp.peak_window,
             "Window of the highest queue length of a replica; `\"0s\"` = only the last sample. At "
             "most `1h`.");
    list.add("min_requests", epp.min_requests,
             "An average over fewer requests in the rate window is missing.");
    list.add("reuse", epp.reuse,
             "A page that was read within this time is not read again; `\"0s\"` = each call reads "
             "it. At most `1m`.");
    list.add(
        "flush_interval", epp.flush_interval,
        "How often the EPP computes the averages of its pool "
        "(`--refresh-prometheus-metrics-interval`): they may be that much older than the page.");
    list.add("scrape_timeout", epp.scrape_timeout, "Maximum time of reading the page once.");
    describe_fields(list.group("page"), epp.page);
    describe_fields(list.group("store"), epp.store);
    describe_fields(list.group("names"), epp.names);
}

inline void describe_fields(FieldList list, EppSettings& epp) {
    describe_fields(list, static_cast<EppConfig&>(epp));
    describe_fields(list.group("tls"), epp.tls);
}

} // namespace wva_metrics::detail
