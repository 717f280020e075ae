// SPDX-License-Identifier: Apache-2.0
//
// A report as one line of JSON. Written by hand, because Boost.JSON writes 0.5 as 5E-1.
#pragma once

#include "report.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <cmath>
#include <ctime>
#include <iomanip>
#include <sstream>
#include <string>

namespace prometheus_poll {

/// `{"name":value,...}` of members `"name":value`.
inline std::string object(const auto&... members) {
    std::string text;
    ((text += (text.empty() ? "{" : ",") + members), ...);
    return text + "}";
}

/// `"name":text`
inline std::string member_of_json(const std::string& name, const std::string& text) {
    return '"' + name + "\":" + text;
}

inline std::string member(const std::string& name, const auto& value) {
    const boost::json::value converted = boost::json::value_from(value);
    if (!converted.is_double())
        return member_of_json(name, boost::json::serialize(converted));
    std::ostringstream number;
    number << std::setprecision(15) << converted.get_double();
    return member_of_json(name, number.str());
}

inline std::string member(const std::string& name, const wva_metrics::Reading<double>& reading) {
    const std::string state = member("state", to_string(reading.state()));
    if (!reading)
        return member_of_json(name, object(member("value", nullptr), state,
                                           member("reason", to_string(reading.reason()))));
    const std::chrono::duration<double> age = reading.age(std::chrono::steady_clock::now());
    return member_of_json(name, object(member("value", reading.value()), state,
                                       member("age_seconds", std::round(age.count() * 1000) / 1000),
                                       member("metric", reading.metric())));
}

inline std::string to_json(const wva_metrics::Availability& availability) {
    return object(member("available", availability.available),
                  member("reason", to_string(availability.reason)),
                  member("message", availability.message));
}

inline std::string to_json(const VariantReport& report) {
    const auto& [variant, metrics] = report;
    return object(member("variant", variant.name), member("deployment", variant.deployment),
                  member("accelerator", variant.accelerator), member("cost", variant.cost),
                  member("arrival_rate_per_minute", metrics.arrival_rate_per_minute),
                  member("avg_input_tokens", metrics.avg_input_tokens),
                  member("avg_output_tokens", metrics.avg_output_tokens),
                  member("ttft_seconds", metrics.ttft_seconds),
                  member("itl_seconds", metrics.itl_seconds));
}

inline std::string to_json(const wva_metrics::ReplicaMetrics& replica) {
    return object(member("pod", replica.pod), member("variant", replica.variant),
                  member("kv_cache_usage", replica.kv_cache_usage),
                  member("queue_length", replica.queue_length));
}

inline std::string to_json(const wva_metrics::CacheStats& cache) {
    return object(member("hits", cache.hits), member("stale_hits", cache.stale_hits),
                  member("misses", cache.misses), member("hit_rate", cache.hit_rate()));
}

/// `[element,...]`
template <typename Element>
std::string to_json(const std::vector<Element>& elements) {
    std::string text;
    for (const Element& element : elements)
        text += (text.empty() ? "" : ",") + to_json(element);
    return "[" + text + "]";
}

inline std::string to_json(const Report& report) {
    std::ostringstream time;
    time << std::put_time(std::gmtime(&report.time), "%FT%TZ");
    const wva_metrics::ReplicaSnapshot& replicas = report.replicas;
    return object(member("time", time.str()), member("namespace", report.model.namespace_name),
                  member("model", report.model.model_id),
                  member_of_json("availability", to_json(report.availability)),
                  member_of_json("variants", to_json(report.variants)),
                  member_of_json("replicas", to_json(replicas->replicas)),
                  member("unattributed_pods", replicas->unattributed_pods),
                  member("freshness", to_string(replicas.freshness())),
                  member("source", to_string(replicas.source())), member("partial", report.partial),
                  member("warnings", report.warnings),
                  member_of_json("cache", to_json(report.cache)));
}

} // namespace prometheus_poll
