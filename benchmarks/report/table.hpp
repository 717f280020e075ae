// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comparison.hpp"
#include "number.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench::report {

/// One line of the table: a piece of work beside one peer, or alone.
struct TableLine {
    std::string path;
    /// Work, ours, peer, theirs, times better, spread, target, native.
    std::array<std::string, 8> cells;
};

/// The heads of the columns.
inline constexpr std::array<std::string_view, 8> table_head{
    "work", "ours", "peer", "theirs", "times better", "spread", "target", "native"};

namespace detail {

inline std::string target_text(std::optional<double> at_least, std::optional<double> at_most,
                               TargetState state) {
    std::string text;
    if (at_least)
        text = "\u2265 " + readable(*at_least);
    if (at_most)
        text += (text.empty() ? "\u2264 " : ", \u2264 ") + readable(*at_most);
    switch (state) {
    case TargetState::met:
        return text + " met";
    case TargetState::not_met:
        return text + " NOT MET";
    case TargetState::none:
    case TargetState::not_measured:
        break;
    }
    return text;
}

/// Empty if all rounds gave the same value.
inline std::string span_of(const Spread& spread) {
    const std::string low = readable(spread.low);
    const std::string high = readable(spread.high);
    return low == high ? "" : low + "\u2013" + high;
}

} // namespace detail

/// The lines of the table. If a target is set for ours itself, or if there is no peer, ours has a
/// line of its own, without a peer.
inline std::vector<TableLine> table_of(const std::vector<Comparison>& comparisons) {
    std::vector<TableLine> lines;
    for (const Comparison& comparison : comparisons) {
        std::string work = comparison.work;
        std::string ours = comparison.ours
                               ? readable(comparison.ours->median) + ' ' + comparison.unit
                               : "not measured";
        if (comparison.peers.empty() || comparison.target_state() != TargetState::none) {
            lines.push_back(
                {comparison.path,
                 {work, ours, "", "", "", comparison.ours ? detail::span_of(*comparison.ours) : "",
                  detail::target_text(comparison.at_least, comparison.at_most,
                                      comparison.target_state()),
                  comparison.native_ours ? readable(comparison.native_ours->median) : ""}});
            work.clear();
            ours.clear();
        }
        for (const PeerComparison& peer : comparison.peers) {
            lines.push_back(
                {comparison.path,
                 {work, ours, peer.who, peer.theirs ? readable(*peer.theirs) : peer.absent,
                  peer.ratio ? readable(peer.ratio->median) : "",
                  peer.ratio ? detail::span_of(*peer.ratio) : "",
                  detail::target_text(peer.at_least, std::nullopt, peer.target_state()),
                  peer.native_ratio ? readable(peer.native_ratio->median) : ""}});
            work.clear();
            ours.clear();
        }
    }
    return lines;
}

/// The table for a terminal: each path is a heading, with its work below it in columns.
inline std::string text_table(const std::vector<TableLine>& lines) {
    std::array<std::size_t, table_head.size()> widths{};
    const auto widen = [&](const auto& cells) {
        for (std::size_t i = 0; i < widths.size(); ++i)
            widths[i] = std::max(widths[i], width_of(cells[i]));
    };
    widen(table_head);
    for (const TableLine& line : lines)
        widen(line.cells);

    std::string text;
    const auto put = [&](const auto& cells) {
        std::string row = " ";
        for (std::size_t i = 0; i < widths.size(); ++i) {
            row += ' ';
            row += cells[i];
            row.append(widths[i] - width_of(cells[i]) + 1, ' ');
        }
        row.erase(row.find_last_not_of(' ') + 1);
        text += row + '\n';
    };
    put(table_head);
    std::string_view path;
    for (const TableLine& line : lines) {
        if (line.path != path)
            text += '\n' + line.path + '\n';
        path = line.path;
        put(line.cells);
    }
    return text;
}

/// The same in Markdown, with the path as the first column.
inline std::string markdown_table(const std::vector<TableLine>& lines) {
    std::string text = "| path |";
    std::string rule = "|---|";
    for (const std::string_view head : table_head) {
        text += ' ' + std::string(head) + " |";
        rule += "---|";
    }
    text += '\n' + rule + '\n';
    std::string_view path;
    for (const TableLine& line : lines) {
        text += line.path == path ? "| |" : "| " + line.path + " |";
        path = line.path;
        for (const std::string& cell : line.cells) {
            text += ' ';
            for (const char c : cell) {
                if (c == '|')
                    text += '\\';
                text += c;
            }
            text += cell.empty() ? "|" : " |";
        }
        text += '\n';
    }
    return text;
}

} // namespace bench::report
