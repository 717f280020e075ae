// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/api_status.hpp"
#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/kubernetes/detail/api_error.hpp"
#include "wva_metrics/kubernetes/detail/api_operation.hpp"
#include "wva_metrics/kubernetes/detail/identity_scanner.hpp"
#include "wva_metrics/kubernetes/detail/line_splitter.hpp"
#include "wva_metrics/kubernetes/detail/object_parser.hpp"
#include "wva_metrics/kubernetes/detail/read_watch_event.hpp"
#include "wva_metrics/kubernetes/detail/wanted_fields.hpp"
#include "wva_metrics/kubernetes/watch_event.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// Parses the response of one watch, piece by piece, into events. Not thread-safe.
template <typename T>
class WatchSession {
public:
    /// Receives an event. An error that it returns ends the watch.
    using OnEvent = std::function<std::optional<Error>(WatchEvent<T>)>;

    /// `on_opened`: called when the server has accepted the watch; may be empty.
    WatchSession(const ClientConfig& config, ApiOperation operation, OnEvent on_event,
                 std::function<void()> on_opened)
        : lines_(config.max_object_bytes),
          parser_(WantedFields::of<T>(), TextOf::watch_event, config.max_object_values),
          max_object_bytes_(config.max_object_bytes), operation_(std::move(operation)),
          on_event_(std::move(on_event)), on_opened_(std::move(on_opened)) {}

    /// The server has accepted the watch.
    void open() {
        was_opened_ = true;
        if (on_opened_)
            on_opened_();
    }

    /// Processes a piece. False if the watch must end.
    bool write(std::string_view piece) {
        if (lines_.write(piece, *this) == LineSplitter::Outcome::too_long)
            error_ =
                Error(Errc::too_large,
                      "cannot " + operation_.describe() + ": an event exceeds max_object_bytes = " +
                          std::to_string(max_object_bytes_) + " bytes, and cannot be skipped");
        return !error_;
    }

    /// Whether the server has accepted the watch.
    bool was_opened() const noexcept { return was_opened_; }
    /// Why the watch must end; empty if it need not.
    const std::optional<Error>& error() const noexcept { return error_; }

    /// For the splitter: a line of the watch. False if the watch must end.
    bool take(std::string_view line) { return process(read_watch_event<T>(line, parser_)); }
    /// For the splitter: a line that was not kept. False if the watch must end.
    bool take_oversized(const ObjectIdentity& identity) {
        return process(limited_event<T>(
            identity,
            "it has more than max_object_bytes = " + std::to_string(max_object_bytes_) + " bytes"));
    }

private:
    bool process(Result<WatchEvent<T>> event) {
        if (event.has_error()) {
            error_ = std::move(event).error();
            error_->message = "cannot " + operation_.describe() + ": " + error_->message;
        } else if (event->kind == WatchEventKind::error) {
            error_ = to_error(event->status, status_of(event->status), operation_, {});
        } else {
            error_ = on_event_(*std::move(event));
        }
        return !error_;
    }

    /// Some servers report an old resource version by the reason only, without the code 410.
    static int status_of(const ApiStatus& status) {
        if (status.reason == "Expired" || status.reason == "Gone")
            return 410;
        return status.code == 0 ? 500 : status.code;
    }

    LineSplitter lines_;
    ObjectParser parser_;
    const std::size_t max_object_bytes_;
    const ApiOperation operation_;
    const OnEvent on_event_;
    const std::function<void()> on_opened_;
    std::optional<Error> error_;
    bool was_opened_ = false;
};

} // namespace wva_metrics::kubernetes::detail
