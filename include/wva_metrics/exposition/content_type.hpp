// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/exposition/detail/media_type.hpp"
#include "wva_metrics/exposition/page_format.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::exposition {

/// What the `Content-Type` of an answer says of its page.
struct ContentType {
    /// The format to read the page in.
    PageFormat format = PageFormat::prometheus_0_0_4;
    /// Why another format than that of the header was chosen, or what the header lacks, for people.
    /// Empty if the header is clear.
    std::string remark{};

    friend bool operator==(const ContentType&, const ContentType&) = default;
};

namespace detail {

inline ContentType with_remark(PageFormat format, std::string_view header,
                               std::string_view problem) {
    constexpr std::size_t max_quoted_bytes = 200;
    std::string remark = "the content type ";
    if (!header.empty())
        remark += "\"" + wva_metrics::detail::clean_text(header, max_quoted_bytes) + "\" ";
    remark += problem;
    remark += "; the page is read as ";
    remark += to_string(format);
    return {format, std::move(remark)};
}

} // namespace detail

/// The format of a page by the `Content-Type` of its answer. Parameters may be in any order, quoted,
/// and their names and the type in any case. A header that is empty, malformed or of an unknown type
/// means Prometheus' text 0.0.4, with a remark: real servers send such headers.
inline ContentType parse_content_type(std::string_view header) {
    const std::optional<detail::MediaType> type = detail::parse_media_type(header);
    if (header.find_first_not_of(" \t") == std::string_view::npos)
        return detail::with_remark(PageFormat::prometheus_0_0_4, {}, "is missing");
    if (!type)
        return detail::with_remark(PageFormat::prometheus_0_0_4, header, "is malformed");

    if (type->is("text/plain")) {
        if (type->version.empty() || type->version == "0.0.4")
            return {PageFormat::prometheus_0_0_4, {}};
        if (type->version == "1.0.0")
            return {PageFormat::prometheus_1_0_0, {}};
        return detail::with_remark(PageFormat::prometheus_0_0_4, header, "has an unknown version");
    }
    if (type->is("application/openmetrics-text")) {
        if (type->version.empty() || type->version == "1.0.0")
            return {PageFormat::open_metrics_1_0, {}};
        if (type->version == "0.0.1")
            return {PageFormat::open_metrics_0_0_1, {}};
        if (type->version == "2.0.0" || type->version.starts_with("2.0.0-"))
            return {PageFormat::open_metrics_2_0, {}};
        return detail::with_remark(PageFormat::open_metrics_1_0, header, "has an unknown version");
    }
    if (type->is("application/vnd.google.protobuf")) {
        const bool is_family =
            type->proto.empty() || type->proto == "io.prometheus.client.MetricFamily";
        const bool is_delimited = type->encoding.empty() || type->encoding == "delimited";
        if (!is_family || !is_delimited)
            return detail::with_remark(PageFormat::prometheus_0_0_4, header,
                                       "is no delimited io.prometheus.client.MetricFamily");
        if (type->proto.empty() || type->encoding.empty())
            return detail::with_remark(PageFormat::protobuf, header,
                                       "does not say which message or encoding");
        return {PageFormat::protobuf, {}};
    }
    return detail::with_remark(PageFormat::prometheus_0_0_4, header, "is of no known format");
}

/// Which formats a server is asked for besides the usual ones.
struct AcceptOptions {
    /// Delimited protobuf before all others: the only common format with native histograms.
    bool protobuf = false;
    /// OpenMetrics 2.0, whose specification is not final, before the other texts.
    bool open_metrics_2 = false;
};

/// The header `Accept` as Prometheus 3 builds it: each format less wanted than the one before, and
/// names in UTF-8 without escaping.
inline std::string accept_header(const AcceptOptions& options = {}) {
    // Prometheus counts down from one more than the formats it knows, also if it does not ask for
    // all of them.
    char weight = options.open_metrics_2 ? '7' : '6';
    std::string header;
    const auto add = [&](std::string_view format) {
        header += format;
        header += ";q=0.";
        header += weight;
        --weight;
    };
    if (options.protobuf)
        add("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
            "encoding=delimited");
    const auto add_text = [&](std::string_view format) {
        if (!header.empty())
            header += ",";
        add(format);
    };
    if (options.open_metrics_2)
        add_text("application/openmetrics-text;version=2.0.0;escaping=allow-utf-8");
    add_text("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8");
    add_text("application/openmetrics-text;version=0.0.1");
    add_text("text/plain;version=1.0.0;escaping=allow-utf-8");
    add_text("text/plain;version=0.0.4");
    add_text("*/*");
    return header;
}

} // namespace wva_metrics::exposition
