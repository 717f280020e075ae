// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/header_limit.hpp"
#include "wva_metrics/kubernetes/api_status.hpp"
#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/kubernetes/detail/watch_backoff.hpp"
#include "wva_metrics/kubernetes/detail/watch_step.hpp"
#include "wva_metrics/kubernetes/watch_end.hpp"
#include "wva_metrics/kubernetes/watch_event.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// Decides how a resource is followed: list it page by page, watch from the list's resource
/// version, resume the watch when it ends, list again if the server no longer has the resource
/// version, and wait between failures.
///
/// Does no I/O and has no clock. Not thread-safe.
class WatchMachine {
public:
    /// `random` returns numbers in [0, 1).
    WatchMachine(const ClientConfig& config, std::function<double()> random)
        : max_objects_(config.max_objects), max_pages_(config.max_pages),
          max_list_bytes_(config.max_list_bytes), max_page_size_(config.page_size),
          min_watch_time_(config.min_watch_time), backoff_(config, std::move(random)),
          page_size_(config.page_size) {}

    /// The first step.
    WatchStep begin() { return list_from_start(Duration::zero()); }

    /// A page was received.
    WatchStep on_page(PageFacts page) {
        // All pages of a list should have the same resource version. If they do not, a watch from
        // the first one misses nothing.
        if (pages_++ == 0)
            resource_version_ = std::move(page.resource_version);
        objects_ += page.objects;
        bytes_ += page.bytes;
        if (std::optional<Error> error = too_many_objects())
            return list_again(*std::move(error));
        // What made an earlier page too large may have been passed.
        page_size_ = std::min(2 * page_size_, max_page_size_);
        if (page.continue_token.empty()) {
            failed_watches_ = 0;
            WatchStep step = watch(Duration::zero());
            step.is_list_complete = true;
            return step;
        }
        if (pages_ >= max_pages_)
            return list_again(
                Error(Errc::too_large,
                      "the list has more than max_pages = " + std::to_string(max_pages_) +
                          " pages; select fewer objects, or raise page_size"));
        continue_token_ = std::move(page.continue_token);
        return next_page(Duration::zero());
    }

    /// The request for a page failed.
    WatchStep on_list_failed(Error error) {
        if (is_gone(error))
            return start_over(std::move(error));
        if (http::is_header_too_large(error)) {
            error.message += "; smaller pages have the same header: raise http.limits."
                             "max_header_bytes, or look for what adds to it, such as a proxy";
        } else if (error.is(Errc::too_large) && page_size_ > 1) {
            page_size_ /= 2;
            return next_page(Duration::zero());
        }
        if (continue_token_.empty() || must_list(error))
            return list_again(std::move(error));
        WatchStep step = next_page(backoff_.next(error.retry_after));
        return add_problem(std::move(step), std::move(error));
    }

    /// An event was received. Returns an error if the watch must end.
    ///
    /// `bytes`: the memory of its object.
    std::optional<Error> on_event(WatchEventKind kind, std::string_view resource_version,
                                  std::size_t bytes = 0) {
        if (!resource_version.empty())
            resource_version_ = resource_version;
        if (kind == WatchEventKind::added) {
            ++objects_;
            bytes_ += bytes;
        } else if (kind == WatchEventKind::deleted) {
            objects_ -= std::min<std::size_t>(objects_, 1);
            bytes_ -= std::min(bytes_, bytes);
        }
        return too_many_objects();
    }

    /// A watch ended.
    WatchStep on_watch_ended(WatchEnd end) {
        const bool is_parsed = !end.error || is_gone(*end.error) || !must_list(*end.error);
        const bool was_good = end.was_opened && end.lasted >= min_watch_time_ && is_parsed;
        if (was_good) {
            backoff_.reset();
            failed_watches_ = 0;
            reported_.reset();
        }
        if (end.error && is_gone(*end.error))
            return start_over(*std::move(end.error));
        // An interrupted connection is the normal end of a watch.
        if (was_good && (!end.error || !is_server_answer(*end.error)))
            return watch(Duration::zero());

        const bool was_interrupted =
            end.was_opened && (!end.error || !is_server_answer(*end.error));
        const bool was_sent = end.was_opened || !end.error || !end.error->is(Errc::unavailable) ||
                              is_server_answer(*end.error);
        Error error = end.error
                          ? *std::move(end.error)
                          : Error(Errc::unavailable,
                                  "the API server, or a proxy before it, ends watches immediately");
        if (must_list(error) || (was_sent && ++failed_watches_ % watches_before_list == 0)) {
            ++restarts_;
            return list_again(std::move(error));
        }
        WatchStep step = watch(backoff_.next(error.retry_after));
        if (!was_interrupted)
            return add_problem(std::move(step), std::move(error));
        step.failure = std::move(error);
        return step;
    }

    /// Lists started, from their first page.
    std::uint64_t lists() const noexcept { return lists_; }
    /// Watches started.
    std::uint64_t watches() const noexcept { return watches_; }
    /// Lists started because a list or a watch could not continue.
    std::uint64_t restarts() const noexcept { return restarts_; }

private:
    /// A server may fail to report that the resource version is too old. After this many failed
    /// watches the resource is listed again. Watches that the client itself rejected do not count.
    static constexpr unsigned watches_before_list = 3;

    /// The same request would fail again, so only a new list can help.
    static bool must_list(const Error& error) noexcept {
        return error.is(Errc::rejected) || error.is(Errc::forbidden) ||
               error.is(Errc::bad_response) || error.is(Errc::too_large) ||
               error.is(Errc::internal) || error.is(Errc::invalid_argument);
    }
    /// The error is an answer of the server, not a failure of the network.
    static bool is_server_answer(const Error& error) noexcept {
        return error.http_status != 0 && error.http_status / 100 != 2;
    }

    WatchStep list_from_start(Duration wait) {
        ++lists_;
        pages_ = 0;
        objects_ = 0;
        bytes_ = 0;
        continue_token_.clear();
        return next_page(wait);
    }
    WatchStep next_page(Duration wait) const {
        WatchStep step;
        step.wait = wait;
        step.token = continue_token_;
        step.page_size = page_size_;
        return step;
    }
    WatchStep watch(Duration wait) {
        ++watches_;
        WatchStep step;
        step.kind = WatchStep::Kind::watch;
        step.wait = wait;
        step.token = resource_version_;
        return step;
    }
    WatchStep list_again(Error error) {
        WatchStep step = list_from_start(backoff_.next(error.retry_after));
        return add_problem(std::move(step), std::move(error));
    }
    /// The server no longer has the resource version. This is normal if nothing else failed, so the
    /// first list starts immediately.
    WatchStep start_over(Error error) {
        ++restarts_;
        const bool is_first = backoff_.failures() == 0;
        const Duration wait = backoff_.next();
        if (is_first)
            return list_from_start(Duration::zero());
        return add_problem(list_from_start(wait), std::move(error));
    }

    WatchStep add_problem(WatchStep step, Error error) {
        if (!reported_ || reported_->code != error.code ||
            reported_->http_status != error.http_status) {
            reported_ = error;
            step.problem = error;
        }
        step.failure = std::move(error);
        return step;
    }

    /// Empty if what is followed is within the limits.
    std::optional<Error> too_many_objects() const {
        constexpr const char* remedy = "; select fewer by namespace or label, or raise the limit";
        if (objects_ > max_objects_)
            return Error(Errc::too_large, "there are more than max_objects = " +
                                              std::to_string(max_objects_) + " objects" + remedy);
        if (bytes_ > max_list_bytes_)
            return Error(Errc::too_large, "the objects take more than max_list_bytes = " +
                                              std::to_string(max_list_bytes_) + " bytes" + remedy);
        return std::nullopt;
    }

    const std::size_t max_objects_;
    const std::size_t max_pages_;
    const std::size_t max_list_bytes_;
    const std::size_t max_page_size_;
    const Duration min_watch_time_;
    WatchBackoff backoff_;
    std::size_t page_size_;
    std::size_t pages_ = 0;
    std::size_t objects_ = 0;
    /// The memory of the objects of the list, and of those that were added since.
    std::size_t bytes_ = 0;
    unsigned failed_watches_ = 0;
    std::string continue_token_;
    std::string resource_version_;
    /// The last reported problem, until a watch succeeds.
    std::optional<Error> reported_;
    std::uint64_t lists_ = 0;
    std::uint64_t watches_ = 0;
    std::uint64_t restarts_ = 0;
};

} // namespace wva_metrics::kubernetes::detail
