// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/secret_mask.hpp"
#include "wva_metrics/http/streaming.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/scrape/detail/page_intake.hpp"
#include "wva_metrics/scrape/name_filter.hpp"
#include "wva_metrics/scrape/page_error.hpp"
#include "wva_metrics/scrape/scrape_clock.hpp"
#include "wva_metrics/scrape/scrape_target.hpp"
#include "wva_metrics/scrape/scraper_config.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::scrape {

namespace asio = boost::asio;

/// Scrapes one target: reads its page over a kept connection, and keeps the samples.
///
/// A class template, as `http::BasicClient`.
///
/// **Threads:** safe. One scrape at a time: one that begins while another runs makes that fail.
///
/// **Lifetime:** as that of `http::BasicClient`: a scraper may be destroyed while a scrape runs, which
/// then fails with `aborted`.
template <typename Executor = asio::any_io_executor>
class BasicScraper {
public:
    /// The executor of all I/O.
    using executor_type = Executor;

    /// Connects to nothing yet. Throws `ResultError` with `Errc::invalid_config` if the target's URL
    /// or the configuration of the client is invalid.
    BasicScraper(const Executor& executor, ScrapeTarget target, ScraperConfig config)
        : target_(std::move(target)), address_(parse_page_url(target_.url).value()),
          client_(std::make_shared<Client>(executor, client_config(config))),
          job_{client_,
               std::make_shared<detail::PageIntake>(target_labels(target_, address_, config.labels),
                                                    address_.path, config),
               client_->secret_mask(), address_.server.origin(), config.clock} {}

    /// The target.
    const ScrapeTarget& target() const noexcept { return target_; }
    /// The parts of its URL.
    const PageAddress& address() const noexcept { return address_; }
    /// `scheme://host:port`.
    std::string endpoint() const { return address_.server.origin(); }
    /// The name of its pod, as readings have it.
    std::string pod() const { return pod_name(target_, address_); }

    /// Reads the page once. The samples have the time of this call; if a server hides what it was
    /// asked for by name (`ScraperConfig::names_to_ask`), that of the request for the whole page, which
    /// follows at once.
    ///
    /// **Parameters:**
    /// - `deadline`: bounds the whole scrape.
    ///
    /// **Completes:** when the page has been read and counts, or with the reason why it does not;
    /// then nothing of it counts, and the series `up` has a 0.
    ///
    /// **Errors:** those of `http::BasicClient::send`, of `page_error`, of the parser (with line and
    /// column), and of `SampleStore::add`; all with the endpoint.
    ///
    /// **Cancellation:** terminal. A scrape that was cancelled leaves no trace in the store.
    ///
    /// **Threads:** any thread.
    asio::awaitable<Result<void>> scrape(TimePoint deadline) {
        const TimePoint now = std::chrono::steady_clock::now();
        detail::PageRequest request = job_.intake->begin(job_.clock.at(now), now);
        // Time is left for the whole page.
        const TimePoint until = request.has_names ? now + (deadline - now) / 2 : deadline;
        auto call = ask(*client_, job_.intake, request, until);
        return run(std::move(call), job_, std::move(request), deadline);
    }

    /// Calls `use(store)` with the `SampleStore`, under a lock: `use` must not keep it, nor call this
    /// object. Returns what `use` returns.
    template <typename Use>
    auto read(Use use) const {
        return job_.intake->read(std::move(use));
    }

    /// What was strange about the newest page, e.g. its content type; may be empty.
    std::string remark() const { return job_.intake->remark(); }

    /// How the server answers a request for certain metrics only. It stays `unknown` without
    /// `ScraperConfig::names_to_ask`.
    NameFilterVerdict name_filter() const { return job_.intake->verdict(); }

    /// The target exists no more. Its samples stay as long as they are within the window. A scrape
    /// that runs counts no more.
    void retire(TimePoint now) { job_.intake->retire(job_.clock.at(now)); }

private:
    using Client = http::BasicClient<Executor>;

    http::ClientConfig client_config(const ScraperConfig& config) const {
        http::ClientConfig client = client_for(config.client, address_.server);
        client.limits.max_connections = 1;
        client.limits.max_idle = 1;
        client.limits.max_body_bytes = config.page.max_page_bytes;
        client.protection.retry.attempts = 1;
        client.protection.breaker.enabled = false;
        client.protection.hedging.enabled = false;
        if (!config.accept.empty())
            client.headers.push_back({"Accept", config.accept});
        return client;
    }

    /// What a scrape needs, which may outlive the scraper.
    struct Job {
        std::weak_ptr<Client> client;
        std::shared_ptr<detail::PageIntake> intake;
        std::shared_ptr<http::SecretMask> secrets;
        std::string endpoint;
        ScrapeClock clock;
    };

    static asio::awaitable<Result<http::Response>>
    ask(Client& client, const std::shared_ptr<detail::PageIntake>& intake,
        const detail::PageRequest& request, TimePoint deadline) {
        http::BodySink sink = [intake, number = request.number](std::string_view piece) {
            return intake->feed(number, piece);
        };
        http::HeadCallback on_head = [intake, number = request.number](const http::Response& head) {
            intake->open(number, head);
        };
        return client.send(http::Request::get(request.path), deadline, std::move(sink),
                           std::move(on_head));
    }

    /// Static, so that the scraper may be destroyed meanwhile.
    static asio::awaitable<Result<void>> run(asio::awaitable<Result<http::Response>> call, Job job,
                                             detail::PageRequest request, TimePoint deadline) {
        Result<http::Response> answer = co_await std::move(call);
        Result<detail::PageEnd> end = finish(answer, job, request);
        if (end.has_value() && *end == detail::PageEnd::refused) {
            std::shared_ptr<Client> client = job.client.lock();
            const TimePoint now = std::chrono::steady_clock::now();
            std::optional<detail::PageRequest> whole =
                job.intake->begin_whole(request.number, job.clock.at(now), now);
            if (!client || !whole)
                co_return Error(Errc::aborted, "the target or its scraper is gone", job.endpoint);
            request = *std::move(whole);
            auto again = ask(*client, job.intake, request, deadline);
            client.reset();
            answer = co_await std::move(again);
            end = finish(answer, job, request);
        }
        if (end.has_error())
            co_return end.error();
        co_return Result<void>();
    }

    /// Takes over the page, or says why it does not count.
    static Result<detail::PageEnd> finish(const Result<http::Response>& answer, const Job& job,
                                          const detail::PageRequest& request) {
        detail::PageIntake& intake = *job.intake;
        const std::optional<Error> bad_page = intake.error();
        if (answer.has_error() && answer.error().is(Errc::aborted) && !bad_page)
            return answer.error();
        Error error;
        if (answer.has_value() && answer->status == 200) {
            Result<detail::PageEnd> end = intake.end(request.number, answer->ended_by_close);
            if (end.has_value())
                return end;
            error = end.error();
        } else {
            if (intake.fail(request.number) == detail::PageEnd::refused)
                return detail::PageEnd::refused;
            if (answer.has_error() && !bad_page)
                return answer.error();
            error = bad_page ? *bad_page : page_error(*answer, {}, request.path);
        }
        error.message = job.secrets->mask(error.message);
        error.endpoint = job.endpoint;
        error.http_status = answer.has_error() ? answer.error().http_status : answer->status;
        return error;
    }

    const ScrapeTarget target_;
    const PageAddress address_;
    const std::shared_ptr<Client> client_;
    const Job job_;
};

/// A scraper on any executor.
using Scraper = BasicScraper<>;

} // namespace wva_metrics::scrape
