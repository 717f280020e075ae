// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/detail/api_error.hpp"
#include "wva_metrics/kubernetes/detail/parse_json.hpp"
#include "wva_metrics/kubernetes/json_fields.hpp"
#include "wva_metrics/kubernetes/read_object.hpp"
#include "wva_metrics/kubernetes/watch_event.hpp"

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// The kind of an event by its `type`; empty if the type is unknown.
inline std::optional<WatchEventKind> watch_event_kind(std::string_view type) noexcept {
    if (type == "ADDED")
        return WatchEventKind::added;
    if (type == "MODIFIED")
        return WatchEventKind::modified;
    if (type == "DELETED")
        return WatchEventKind::deleted;
    if (type == "BOOKMARK")
        return WatchEventKind::bookmark;
    if (type == "ERROR")
        return WatchEventKind::error;
    return std::nullopt;
}

/// Reads one line of a watch. `Errc::bad_response` if it is not an event. An event whose object
/// cannot be read is not an error; see `WatchEvent::problem`.
template <ClusterObject T>
Result<WatchEvent<T>> read_watch_event(std::string_view line) {
    const Result<ParsedJson> parsed = parse_json(line);
    if (parsed.has_error())
        return Error(Errc::bad_response, "an event of the watch " + parsed.error().message);
    std::string problem;
    const JsonFields root(parsed->value, problem);
    const std::optional<WatchEventKind> kind = watch_event_kind(root.text_or_empty("type"));
    const boost::json::object* const fields = parsed->value.if_object();
    const boost::json::value* const object = fields ? fields->if_contains("object") : nullptr;
    if (!kind)
        root.report("type", "is missing or unknown");
    if (object == nullptr)
        root.report("object", "is missing");
    if (!problem.empty())
        return Error(Errc::bad_response, "invalid event of the watch: " + problem);

    WatchEvent<T> event;
    event.kind = *kind;
    if (event.kind == WatchEventKind::error) {
        event.status = read_status(*object);
        return event;
    }
    // Read separately, because the resource version is valid even if the object is not.
    std::string ignored;
    event.resource_version =
        JsonFields(*object, ignored).object("metadata").text_or_empty("resourceVersion");
    if (event.kind == WatchEventKind::bookmark)
        return event;
    Result<T> read = read_object<T>(*object);
    if (read.has_value())
        event.object = *std::move(read);
    else
        event.problem = read.error().message;
    return event;
}

} // namespace wva_metrics::kubernetes::detail
