// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/context_hook.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/detail/api_target.hpp"
#include "wva_metrics/kubernetes/detail/reflector_run.hpp"
#include "wva_metrics/kubernetes/detail/watch_slots.hpp"
#include "wva_metrics/kubernetes/reflector_handler.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/kubernetes/resource.hpp"
#include "wva_metrics/kubernetes/watch_event.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// What a reflector shares with what it has under way, so that it outlives it.
///
/// `WatchMachine` decides; the coroutine here does what was decided. The mutex guards what other
/// threads see, and is never held across I/O or a callback.
template <typename T>
class ReflectorState : public std::enable_shared_from_this<ReflectorState<T>> {
public:
    ReflectorState(Client client, Resource<T> resource, Selection selection,
                   ReflectorHandler<T> handler)
        : client_(std::move(client)), resource_(std::move(resource)),
          selection_(std::move(selection)), handler_(std::move(handler)),
          place_(client_.watch_places()) {
        if (const std::optional<asio::any_io_executor> executor = client_.executor())
            hook_.emplace(*executor, [this] { abandon(); });
    }

    void start() {
        const std::optional<asio::any_io_executor> executor = client_.executor();
        const std::lock_guard lock(mutex_);
        if (!executor || status_.running)
            return;
        status_.running = true;
        // What is still ending begins anew by itself.
        if (!run_)
            begin(*executor);
    }

    void stop() {
        const std::lock_guard lock(mutex_);
        if (!status_.running)
            return;
        status_.running = false;
        status_.synced = false;
        status_.listing = false;
        run_->is_stopped = true;
        asio::post(run_->strand,
                   [run = run_] { run->cancel.emit(asio::cancellation_type::terminal); });
    }

    ReflectorStatus status() const {
        const std::lock_guard lock(mutex_);
        return status_;
    }

private:
    using Run = ReflectorRun<T>;
    using RunPtr = std::shared_ptr<Run>;
    using StatePtr = std::shared_ptr<ReflectorState>;

    static TimePoint now() { return std::chrono::steady_clock::now(); }

    /// Never runs anything itself, for the mutex is held.
    void begin(const asio::any_io_executor& executor) {
        past_ = status_;
        run_ = std::make_shared<Run>(executor, client_.config());
        asio::post(run_->strand, [self = this->shared_from_this(), run = run_] {
            asio::co_spawn(run->strand, follow(self, run),
                           asio::bind_cancellation_slot(
                               run->cancel.slot(),
                               [self, run](const std::exception_ptr&) { self->ended(run); }));
        });
    }

    void ended(const RunPtr& run) {
        const std::optional<asio::any_io_executor> executor = client_.executor();
        const std::lock_guard lock(mutex_);
        if (run_ != run)
            return;
        run_.reset();
        if (status_.running && executor)
            begin(*executor);
        else
            place_.give_back();
    }

    /// The execution context is being destroyed: keeps nothing that belongs to it.
    void abandon() {
        RunPtr dropped;
        const std::lock_guard lock(mutex_);
        dropped.swap(run_);
        place_.give_back();
        status_.running = false;
        status_.synced = false;
        status_.listing = false;
    }

    static asio::awaitable<void> follow(StatePtr self, RunPtr run) {
        asio::steady_timer timer(run->strand);
        WatchStep step = run->machine.begin();
        while (!run->is_stopped) {
            self->note(*run, step);
            if (step.wait > Duration::zero()) {
                timer.expires_after(step.wait);
                co_await timer.async_wait(asio::use_awaitable);
            }
            std::string trouble = "something that is no std::exception";
            try {
                asio::awaitable<WatchStep> next = step.kind == WatchStep::Kind::list
                                                      ? list(self, run, std::move(step))
                                                      : watch(self, run, std::move(step));
                step = co_await std::move(next);
                continue;
            } catch (const std::exception& error) {
                trouble = error.what();
            } catch (...) {
            }
            step = run->machine.list_failed(Error(Errc::internal, trouble));
        }
    }

    static asio::awaitable<WatchStep> list(StatePtr self, RunPtr run, WatchStep step) {
        // A list is worth nothing to who may not watch from it on.
        if (!self->place_.take())
            co_return run->machine.list_failed(
                self->client_.watch_places()->refusal(self->client_.endpoint()));
        if (step.token.empty()) {
            run->objects.clear();
            run->unreadable = 0;
        }
        asio::awaitable<Result<Page<T>>> asking = self->client_.template list<T>(
            self->resource_, self->selection_, std::move(step.token), step.page_size);
        Result<Page<T>> page = co_await std::move(asking);
        if (page.has_error())
            co_return run->machine.list_failed(std::move(page).error());

        PageFacts facts;
        facts.objects = page->objects.size();
        facts.continue_token = std::move(page->continue_token);
        facts.resource_version = std::move(page->resource_version);
        if (run->unreadable == 0)
            run->first_problem = std::move(page->first_problem);
        run->unreadable += page->unreadable;
        run->objects.insert(run->objects.end(), std::make_move_iterator(page->objects.begin()),
                            std::make_move_iterator(page->objects.end()));
        self->note_contact(page->unreadable);
        WatchStep next = run->machine.page_came(std::move(facts));
        if (next.is_list_complete)
            self->hand_over_list(*run);
        co_return next;
    }

    static asio::awaitable<WatchStep> watch(StatePtr self, RunPtr run, WatchStep step) {
        std::function<std::optional<Error>(WatchEvent<T>)> on_event =
            [self, run](WatchEvent<T> event) { return self->take(*run, std::move(event)); };
        asio::awaitable<WatchEnd> watching = self->client_.template watch<T>(
            self->resource_, self->selection_, std::move(step.token), std::move(on_event));
        WatchEnd end = co_await std::move(watching);
        if (!end.error)
            self->note_contact(0);
        co_return run->machine.watch_ended(std::move(end));
    }

    void hand_over_list(Run& run) {
        if (run.unreadable > 0)
            tell(run, handler_.on_left_out, run.unreadable);
        tell(run, handler_.on_listed, std::exchange(run.objects, {}));
        {
            const std::lock_guard lock(mutex_);
            // Only now, for whoever sees it relies on what the handler knows. A run that has been
            // stopped says nothing of the one after it.
            if (!run.is_stopped)
                status_.synced = true;
        }
        if (run.unreadable > 0)
            tell_unreadable(
                run, std::to_string(run.unreadable) + " of the listed " +
                         Target(resource_, selection_).describe() +
                         " could not be read and are left out; the first: " + run.first_problem);
    }

    /// An error ends the watch.
    std::optional<Error> take(Run& run, WatchEvent<T> event) {
        if (run.is_stopped)
            return Error(Errc::aborted, "the reflector was stopped");
        const bool is_bookmark = event.kind == WatchEventKind::bookmark;
        const bool is_unreadable = !is_bookmark && !event.object;
        note_contact(is_unreadable ? 1 : 0);
        if (std::optional<Error> error = run.machine.event_came(event.kind, event.resource_version))
            return error;
        if (is_unreadable) {
            // Which object has gone can only be learnt from a list.
            if (event.kind == WatchEventKind::deleted)
                return Error(Errc::bad_response, "of a deleted object: " + event.problem);
            tell_unreadable(run, Target(resource_, selection_).describe() + ": " + event.problem +
                                     "; what was known of it stays");
        } else if (event.kind == WatchEventKind::deleted) {
            tell(run, handler_.on_deleted, *event.object);
        } else if (!is_bookmark) {
            tell(run, handler_.on_upserted, *std::move(event.object));
        }
        return std::nullopt;
    }

    void tell_unreadable(Run& run, std::string text) {
        if (run.said.is_new(text))
            tell(run, handler_.on_problem,
                 Error(Errc::bad_response, std::move(text), client_.endpoint()));
    }

    void note(Run& run, const WatchStep& step) {
        {
            const std::lock_guard lock(mutex_);
            if (run.is_stopped)
                return;
            status_.listing = step.kind == WatchStep::Kind::list;
            status_.last_error = step.failure;
            status_.lists = past_.lists + run.machine.lists();
            status_.watches = past_.watches + run.machine.watches();
            status_.restarts = past_.restarts + run.machine.restarts();
        }
        if (step.problem)
            tell(run, handler_.on_problem, *step.problem);
    }

    void note_contact(std::size_t unreadable) {
        const std::lock_guard lock(mutex_);
        status_.last_contact = now();
        status_.last_error.reset();
        status_.unreadable += unreadable;
    }

    template <typename Function, typename Argument>
    void tell(const Run& run, const Function& function, Argument&& argument) {
        if (!function || run.is_stopped)
            return;
        try {
            function(std::forward<Argument>(argument));
        } catch (...) {
            const std::lock_guard lock(mutex_);
            ++status_.handler_failures;
        }
    }

    const Client client_;
    const Resource<T> resource_;
    const Selection selection_;
    const ReflectorHandler<T> handler_;
    /// Held while something is under way.
    WatchPlaces::Place place_;
    mutable std::mutex mutex_;
    ReflectorStatus status_;
    /// As it was when `run_` began, for the counts go on.
    ReflectorStatus past_;
    /// Null where nothing is under way.
    RunPtr run_;
    std::optional<wva_metrics::detail::ContextHook> hook_;
};

} // namespace wva_metrics::kubernetes::detail
