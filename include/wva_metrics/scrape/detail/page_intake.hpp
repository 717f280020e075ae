// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/exposition/content_type.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/exposition/page_parser.hpp"
#include "wva_metrics/exposition/page_sample.hpp"
#include "wva_metrics/exposition/wanted_metrics.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/web_page.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/packed_native.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/scrape/detail/named_path.hpp"
#include "wva_metrics/scrape/name_filter.hpp"
#include "wva_metrics/scrape/page_change.hpp"
#include "wva_metrics/scrape/sample_store.hpp"
#include "wva_metrics/scrape/scraper_config.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::scrape::detail {

/// A request for a page.
struct PageRequest {
    /// By which pieces that come too late are known.
    std::uint64_t number = 0;
    /// Path and query.
    std::string path{};
    /// Of certain metrics only.
    bool has_names = false;
};

/// What became of the answer to a request.
enum class PageEnd {
    counts, ///< Its samples are in the store.
    refused ///< It was asked for by names, and the whole page has to be read instead.
};

/// Takes a page as it arrives, in pieces, to the store of its target, and decides which page is
/// asked for.
///
/// **Threads:** safe. The store may be visited while a page arrives.
class PageIntake {
public:
    /// `path` is that of the whole page. Moves from `config.wanted` and `config.names_to_ask`.
    PageIntake(samples::Labels target_labels, std::string path, ScraperConfig& config)
        : store_(std::move(target_labels), config.retention, config.store),
          wanted_(std::move(config.wanted)), limits_(config.page), path_(std::move(path)),
          names_to_ask_(std::move(config.names_to_ask)), filter_(config.whole_page_every) {}

    /// Begins a scrape.
    PageRequest begin(samples::ServerTime time, TimePoint now) {
        const std::lock_guard lock(mutex_);
        const bool by_names = filter_.begin(now) && !named_path_.empty();
        return open_request(time, now, by_names);
    }

    /// The scrape goes on with the whole page, after the request `number` was refused. Empty if another
    /// scrape has begun, or the target is gone.
    std::optional<PageRequest> begin_whole(std::uint64_t number, samples::ServerTime time,
                                           TimePoint now) {
        const std::lock_guard lock(mutex_);
        if (number != scrape_)
            return std::nullopt;
        return open_request(time, now, false);
    }

    /// The header of the answer has arrived.
    void open(std::uint64_t scrape, const http::Response& head) {
        const std::lock_guard lock(mutex_);
        if (scrape != scrape_)
            return;
        const exposition::ContentType type = exposition::parse_content_type(head.content_type);
        remark_ = type.remark;
        content_type_ = head.content_type;
        if (parser_ && parser_->format() == type.format)
            parser_->restart();
        else
            parser_.emplace(type.format, wanted_, limits_);
        is_open_ = true;
    }

    /// A piece of the body. False if nothing more of it is wanted.
    bool feed(std::uint64_t scrape, std::string_view piece) {
        const std::lock_guard lock(mutex_);
        if (scrape != scrape_ || !is_open_ || error_)
            return false;
        if (piece.empty())
            return true;
        bytes_ += piece.size();
        if (beginning_.size() < http::web_page_beginning)
            beginning_ += piece.substr(0, http::web_page_beginning - beginning_.size());
        last_byte_ = piece.back();
        Taker sink{*this};
        note(parser_->feed(piece, sink));
        return !error_;
    }

    /// The answer is complete, with status 200. Its samples count, unless there is an error.
    Result<PageEnd> end(std::uint64_t scrape, bool ended_by_close) {
        const std::lock_guard lock(mutex_);
        if (scrape != scrape_)
            return Error(Errc::aborted, "another scrape has begun");
        finish_page(ended_by_close);
        if (error_) {
            if (fail_page() == PageEnd::refused)
                return PageEnd::refused;
            return explain(*error_);
        }
        const PageChange change = store_.change();
        if (has_names_ && !filter_.read_some(change, bytes_))
            return PageEnd::refused;
        store_.end();
        if (!has_names_) {
            filter_.read_whole(change, bytes_, now_);
            choose_names();
        }
        return PageEnd::counts;
    }

    /// No page has arrived, or not all of it. `counts` if that is how the scrape ends.
    PageEnd fail(std::uint64_t scrape) {
        const std::lock_guard lock(mutex_);
        return scrape == scrape_ ? fail_page() : PageEnd::counts;
    }

    /// See `SampleStore::retire`. A scrape that runs counts no more.
    void retire(samples::ServerTime now) {
        const std::lock_guard lock(mutex_);
        ++scrape_;
        store_.retire(now);
    }

    /// What was wrong with the page that arrived; empty if nothing was.
    std::optional<Error> error() const {
        const std::lock_guard lock(mutex_);
        return error_;
    }
    /// What was strange about the newest page; may be empty.
    std::string remark() const {
        const std::lock_guard lock(mutex_);
        return remark_;
    }
    /// How the server answers a request with names, as far as it is known.
    NameFilterVerdict verdict() const {
        const std::lock_guard lock(mutex_);
        return filter_.verdict();
    }
    /// Calls `use(store)` with the store, which must not be kept.
    template <typename Use>
    auto read(Use use) const {
        const std::lock_guard lock(mutex_);
        return use(store_);
    }

private:
    /// Passes the samples of the page on to the store.
    struct Taker {
        PageIntake& intake;
        void operator()(const exposition::PageSample& sample) const {
            if (intake.error_)
                return;
            samples::PackedNative native;
            if (sample.histogram != nullptr)
                native = samples::PackedNative(*sample.histogram);
            intake.note(intake.store_.add(sample.name, sample.labels, sample.value,
                                          sample.timestamp_ms, sample.start_ms, std::move(native)));
        }
    };

    PageRequest open_request(samples::ServerTime time, TimePoint now, bool by_names) {
        store_.begin(time);
        now_ = now;
        has_names_ = by_names;
        error_.reset();
        bytes_ = 0;
        beginning_.clear();
        last_byte_ = '\n';
        is_open_ = false;
        return {++scrape_, by_names ? named_path_ : path_, by_names};
    }

    Error explain(Error error) const {
        if (error.is(Errc::bad_response) && !beginning_.empty() &&
            http::is_web_page(content_type_, beginning_))
            error.message += "; " + http::describe_web_page(beginning_);
        return error;
    }

    void finish_page(bool ended_by_close) {
        // Asked for by names, an empty page lacks all series, which the filter judges.
        if (!error_ && bytes_ == 0 && !has_names_)
            error_ = Error(Errc::bad_response, "the page is empty");
        if (error_ || bytes_ == 0)
            return;
        Taker sink{*this};
        note(parser_->finish(sink));
        // OpenMetrics marks the end of a page, and protobuf has no lines.
        if (!error_ && ended_by_close && last_byte_ != '\n' && is_prometheus_text())
            error_ = Error(Errc::bad_response,
                           "the page may have been cut off: the server closed the connection "
                           "within a line");
    }

    bool is_prometheus_text() const {
        const exposition::PageFormat format = parser_->format();
        return format == exposition::PageFormat::prometheus_0_0_4 ||
               format == exposition::PageFormat::prometheus_1_0_0;
    }

    PageEnd fail_page() {
        if (has_names_) {
            filter_.some_failed();
            return PageEnd::refused;
        }
        filter_.whole_failed();
        store_.fail();
        return PageEnd::counts;
    }

    /// After a whole page: what the next scrapes ask for.
    void choose_names() {
        if (!names_to_ask_ || filter_.verdict() == NameFilterVerdict::ignores ||
            filter_.verdict() == NameFilterVerdict::hides)
            return;
        std::set<std::string_view> on_page;
        store_.visit([&](auto labels, auto, bool has_ended) {
            if (!has_ended)
                on_page.insert(labels.front().value);
        });
        // That of the target, not of the page.
        on_page.erase("up");
        const std::vector<std::string_view> names(on_page.begin(), on_page.end());
        std::vector<std::string> asked = names_to_ask_(names);
        if (!asked.empty())
            asked.insert(asked.end(), names.begin(), names.end());
        std::ranges::sort(asked);
        asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
        named_path_ = named_path(path_, asked);
    }

    void note(const Result<void>& result) {
        if (!result.has_error() || error_)
            return;
        error_ = result.error();
        if (error_->message.starts_with("line 1,"))
            error_->message += kind_of_answer(beginning_.front());
    }

    /// What an answer is that is no page from its first line on, and no web page.
    static std::string_view kind_of_answer(char first) noexcept {
        if (first == '[' || first == '{' || first == '"')
            return "; the answer is JSON: check the path (trtllm-serve: /prometheus/metrics)";
        return {};
    }

    mutable std::mutex mutex_;
    SampleStore store_;
    const exposition::WantedMetrics wanted_;
    const exposition::PageLimits limits_;
    std::optional<exposition::PageParser> parser_;
    std::optional<Error> error_;
    std::string remark_;
    std::uint64_t scrape_ = 0;
    std::size_t bytes_ = 0;
    /// The first bytes of the page, for its error.
    std::string beginning_;
    std::string content_type_;
    char last_byte_ = '\n';
    bool is_open_ = false;
    const std::string path_;
    const NamesToAsk names_to_ask_;
    NameFilter filter_;
    /// Asks for certain metrics; empty if the whole page has to be asked for.
    std::string named_path_;
    /// Of the request that was sent last.
    TimePoint now_{};
    bool has_names_ = false;
};

} // namespace wva_metrics::scrape::detail
