// SPDX-License-Identifier: Apache-2.0
//
// What the loop prints: the rule once, and one line per decision, so that a reader who has both can
// check the decision.
#pragma once

#include "saturation.hpp"

#include <algorithm>
#include <sstream>
#include <string>

namespace saturation {

inline std::string describe(const Rule& rule) {
    const Headroom kv_cache = rule.kv_cache(), queue = rule.queue();
    std::ostringstream text;
    text << "rule: a replica is full from " << kv_cache.full_threshold() << " of its KV cache or "
         << queue.full_threshold() << " in its queue. Headroom is what is left until then, or 0 if "
         << "the replica is full.\n"
         << "  one more: average headroom < " << kv_cache.required_threshold()
         << " of the KV cache or < " << queue.required_threshold() << ", up to "
         << rule.max_replicas << " replicas, and not within "
         << wva_metrics::format_duration(rule.pause) << " of the last one\n"
         << "  one fewer: it would leave the rest with enough headroom, for "
         << wva_metrics::format_duration(rule.stabilisation) << ", down to " << rule.min_replicas
         << "; never if anything is unknown\n"
         << "  one more by the last samples, one fewer by the peaks (peak/last)\n"
         << "  unknown: missing, invalid, or older than "
         << wva_metrics::format_duration(rule.max_age) << "; averages leave it out\n";
    return text.str();
}

/// `; KV cache 73.5 % no_series, queue 0 7/2+, samples up to 2s old`: what each replica reports, in
/// the same order. `7/2` is a peak and the last sample; `+` marks a lower bound.
inline std::string describe_replicas(const Observation& observed, const Rule& rule, TimePoint now) {
    if (observed.replicas.empty())
        return "";
    std::string kv_cache = "; KV cache", queue = ", queue";
    Duration oldest{};
    const auto add = [&](std::string& text, const Headroom& headroom,
                         const wva_metrics::Reading<double>& reading) {
        if (!reading) {
            text += ' ' + std::string(to_string(reading.reason()));
            return;
        }
        text += ' ' + headroom.text_of(reading.value());
        if (reading.latest() != reading.value())
            text += '/' + headroom.text_of(reading.latest());
        text += reading.is_lower_bound() ? "+" : "";
        oldest = std::max(oldest, reading.latest_age(now));
    };
    for (const wva_metrics::ReplicaMetrics& replica : observed.replicas) {
        add(kv_cache, rule.kv_cache(), replica.kv_cache_usage);
        add(queue, rule.queue(), replica.queue_length);
    }
    return kv_cache + queue + ", samples up to " + text_beside(oldest, rule.max_age) + " old";
}

} // namespace saturation
