// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../support/measurement.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cctype>
#include <istream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench::report {

/// What one of those compared reached in one piece of work, and what was promised about it.
struct Contestant {
    /// "ours", or a peer's name.
    std::string who;
    /// One value per round, in order.
    std::vector<double> rounds{};
    /// How many times better than this peer the library is meant to be; for "ours", a value.
    std::optional<double> at_least{};
    /// For "ours" only: a value.
    std::optional<double> at_most{};
    /// Why there is no value, where somebody knew.
    std::string absent{};
};

/// One piece of work and all who did it, in the order they were first told of.
struct Measured {
    std::string path;
    std::string work;
    std::string unit;
    Better better = Better::more;
    std::vector<Contestant> contestants{};

    /// The same may be measured in several units, each for itself.
    bool is_same_work(const Measured& other) const {
        return path == other.path && work == other.work && unit == other.unit;
    }

    /// Null where there is none of that name.
    const Contestant* find(std::string_view who) const {
        const auto found = std::ranges::find(contestants, who, &Contestant::who);
        return found == contestants.end() ? nullptr : &*found;
    }
};

/// Puts together what the programs wrote: the k-th value of the same path, work, unit and
/// contestant is that of round k.
///
/// A line that does not begin with a brace is for people and passed over. A line
/// `{"absent":"Go","why":"..."}` says why peers whose names contain that word (in letters of either
/// case) have no value in the same input.
class Samples {
public:
    /// Adds all of an input; `name` is for the error.
    /// Throws `std::runtime_error`, which names the line that cannot be understood.
    void read(std::istream& input, const std::string& name) {
        mentioned_.clear();
        std::vector<std::pair<std::string, std::string>> absent;
        std::string line;
        for (int number = 1; std::getline(input, line); ++number) {
            if (!line.starts_with('{'))
                continue;
            try {
                const boost::json::value value = boost::json::parse(line);
                const boost::json::object& object = value.as_object();
                if (const auto* who = object.if_contains("absent"))
                    absent.emplace_back(who->as_string(), object.at("why").as_string());
                else
                    add(object);
            } catch (const std::exception& error) {
                throw std::runtime_error(name + ':' + std::to_string(number) + ": " + error.what() +
                                         ": " + line);
            }
        }
        for (const auto& [who, why] : absent)
            explain(who, why);
    }

    /// In the order they were first told of.
    const std::vector<Measured>& all() const noexcept { return all_; }

private:
    void add(const boost::json::object& line) {
        const auto text = [&](const char* key) { return std::string(line.at(key).as_string()); };
        const Better better = text("better") == "more" ? Better::more : Better::less;
        const std::size_t place = place_of({text("path"), text("work"), text("unit"), better});
        Measured& measured = all_[place];
        if (measured.better != better)
            throw std::runtime_error("the other way was better before");
        Contestant& contestant = contestant_of(measured, text("who"));
        mentioned_.emplace_back(place, contestant.who);
        if (const auto* value = line.if_contains("value"))
            contestant.rounds.push_back(value->to_number<double>());
        promise(line, "at_least", contestant.at_least);
        promise(line, "at_most", contestant.at_most);
    }

    static void promise(const boost::json::object& line, const char* kind,
                        std::optional<double>& promised) {
        const auto* value = line.if_contains(kind);
        if (value == nullptr)
            return;
        const auto number = value->to_number<double>();
        if (promised.value_or(number) != number)
            throw std::runtime_error("something else was promised before");
        promised = number;
    }

    std::size_t place_of(Measured work) {
        const auto found =
            std::ranges::find_if(all_, [&](const Measured& m) { return m.is_same_work(work); });
        if (found != all_.end())
            return static_cast<std::size_t>(found - all_.begin());
        all_.push_back(std::move(work));
        return all_.size() - 1;
    }

    static Contestant& contestant_of(Measured& measured, std::string who) {
        const auto found = std::ranges::find(measured.contestants, who, &Contestant::who);
        if (found != measured.contestants.end())
            return *found;
        measured.contestants.push_back({std::move(who)});
        return measured.contestants.back();
    }

    void explain(std::string_view word, const std::string& why) {
        const auto same_letter = [](char a, char b) {
            return std::tolower(static_cast<unsigned char>(a)) ==
                   std::tolower(static_cast<unsigned char>(b));
        };
        for (const auto& [place, who] : mentioned_)
            if (std::search(who.begin(), who.end(), word.begin(), word.end(), same_letter) !=
                who.end())
                contestant_of(all_[place], who).absent = why;
    }

    std::vector<Measured> all_;
    /// Of the input that is being read.
    std::vector<std::pair<std::size_t, std::string>> mentioned_;
};

} // namespace bench::report
