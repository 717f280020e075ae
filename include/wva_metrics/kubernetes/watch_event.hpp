// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/detail/api_status.hpp"
#include "wva_metrics/kubernetes/detail/parse_json.hpp"
#include "wva_metrics/kubernetes/read_object.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes {

/// What a watch tells of.
enum class WatchEventKind : std::uint8_t {
    /// A new object.
    added,
    /// An object that has changed.
    modified,
    /// An object that has ceased to exist.
    deleted,
    /// Nothing happened up to this resource version.
    bookmark,
    /// The watch has failed and ends.
    error,
};

/// One event of a watch.
template <typename T>
struct WatchEvent {
    /// What it tells of.
    WatchEventKind kind = WatchEventKind::bookmark;
    /// The object, of `added`, `modified` and `deleted`; nothing where it could not be read.
    std::optional<T> object;
    /// Where another watch can go on from; empty where the event does not say.
    std::string resource_version;
    /// What was wrong with the object, where it could not be read.
    std::string problem;
    /// Of `error`: what the API server says.
    ApiStatus status;
};

/// Reads one line of a watch. `Errc::bad_response` where it is no event at all.
template <ClusterObject T>
Result<WatchEvent<T>> read_watch_event(std::string_view line) {
    const Result<detail::ParsedJson> parsed = detail::parse_json(line);
    if (parsed.has_error())
        return Error(Errc::bad_response, "an event of the watch " + parsed.error().message);
    std::string problem;
    const JsonFields root(parsed->value, problem);
    const std::string type = root.text_or_empty("type");
    const boost::json::object* const fields = parsed->value.if_object();
    const boost::json::value* const object = fields ? fields->if_contains("object") : nullptr;
    WatchEvent<T> event;
    if (type == "ADDED")
        event.kind = WatchEventKind::added;
    else if (type == "MODIFIED")
        event.kind = WatchEventKind::modified;
    else if (type == "DELETED")
        event.kind = WatchEventKind::deleted;
    else if (type == "BOOKMARK")
        event.kind = WatchEventKind::bookmark;
    else if (type == "ERROR")
        event.kind = WatchEventKind::error;
    else
        root.report("type", "is missing or unknown");
    if (object == nullptr)
        root.report("object", "is missing");
    if (!problem.empty())
        return Error(Errc::bad_response, "an event of the watch cannot be understood: " + problem);

    if (event.kind == WatchEventKind::error) {
        event.status = detail::read_status(*object);
        return event;
    }
    // Read on its own, for the place is good even where the object is not.
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

} // namespace wva_metrics::kubernetes
