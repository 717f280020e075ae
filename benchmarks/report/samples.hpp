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

/// The values that one contestant reached in one piece of work, and the targets set for it.
struct Contestant {
    /// "ours", or a peer's name.
    std::string who;
    /// One value per round, in order.
    std::vector<double> rounds{};
    /// Target: how many times better than this peer the library is to be; for "ours", a value.
    std::optional<double> at_least{};
    /// Target, for "ours" only: a value.
    std::optional<double> at_most{};
    /// Why there is no value, if the program gave a reason.
    std::string absent{};
};

/// One piece of work and its contestants, in the order in which they first appeared.
struct Measured {
    /// The benchmark that did it.
    std::string program;
    std::string path;
    std::string work;
    std::string unit;
    Better better = Better::more;
    std::vector<Contestant> contestants{};

    /// The same work may be measured in several units; each of them counts as work of its own.
    bool is_same_work(const Measured& other) const {
        return path == other.path && work == other.work && unit == other.unit;
    }

    /// Null if no contestant has that name.
    const Contestant* find(std::string_view who) const {
        const auto found = std::ranges::find(contestants, who, &Contestant::who);
        return found == contestants.end() ? nullptr : &*found;
    }
};

/// Collects the lines that the programs wrote: the k-th value of the same path, work, unit and
/// contestant belongs to round k.
///
/// A line that does not begin with a brace is text for people and is skipped. A line
/// `{"absent":"Go","why":"..."}` gives the reason why peers whose names contain that word (case is
/// ignored) have no value in the same input.
class Samples {
public:
    /// Adds all lines of an input, which `program` wrote.
    /// Throws `std::runtime_error` with the number of the line if a line is not valid.
    void read(std::istream& input, const std::string& program) {
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
                    add(object, program);
            } catch (const std::exception& error) {
                throw std::runtime_error(program + ':' + std::to_string(number) + ": " +
                                         error.what() + ": " + line);
            }
        }
        for (const auto& [who, why] : absent)
            explain(who, why);
    }

    /// In the order in which they first appeared.
    const std::vector<Measured>& all() const noexcept { return all_; }

private:
    void add(const boost::json::object& line, const std::string& program) {
        const auto text = [&](const char* key) { return std::string(line.at(key).as_string()); };
        const Better better = text("better") == "more" ? Better::more : Better::less;
        const std::size_t place =
            place_of({program, text("path"), text("work"), text("unit"), better});
        Measured& measured = all_[place];
        if (measured.better != better)
            throw std::runtime_error("\"better\" was different before");
        Contestant& contestant = contestant_of(measured, text("who"));
        mentioned_.emplace_back(place, contestant.who);
        if (const auto* value = line.if_contains("value"))
            contestant.rounds.push_back(value->to_number<double>());
        read_target(line, "at_least", contestant.at_least);
        read_target(line, "at_most", contestant.at_most);
    }

    static void read_target(const boost::json::object& line, const char* kind,
                            std::optional<double>& target) {
        const auto* value = line.if_contains(kind);
        if (value == nullptr)
            return;
        const auto number = value->to_number<double>();
        if (target.value_or(number) != number)
            throw std::runtime_error("the target was different before");
        target = number;
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
    /// The contestants of the input that is being read.
    std::vector<std::pair<std::size_t, std::string>> mentioned_;
};

} // namespace bench::report
