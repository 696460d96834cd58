#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "outage.hpp"

namespace outage {

/// Draws the load over time, a panel for each policy, all to the same scale, as SVG.
class plot {
public:
    plot(const scenario& s, const std::vector<std::pair<policy, figures>>& results) : scene_(s), results_(results) {}

    friend std::ostream& operator<<(std::ostream& out, const plot& p) { return out << p.drawing(); }

private:
    // In pixels. Loads above `highest_load` are cut off.
    static constexpr double width = 400, height = 96, gap = 16, title = 22, axis = 26, highest_load = 6;
    static constexpr std::size_t columns = 2;

    static std::string number(double x) {
        char text[32];
        std::snprintf(text, sizeof text, "%.5g", x);
        return text;
    }

    static std::string escaped(const std::string& text) {
        std::string safe;
        for (const char c : text) safe += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
        return safe;
    }

    double x_of(r2::duration t) const {
        return width * std::chrono::duration<double>(t).count() / std::chrono::duration<double>(scene_.ends()).count();
    }
    static double y_of(double load) { return height * (1 - std::min(load, highest_load) / highest_load); }

    static std::string line(double x1, double y1, double x2, double y2, const char* style) {
        return "<path d='M" + number(x1) + ' ' + number(y1) + 'L' + number(x2) + ' ' + number(y2) + "' " + style +
               "/>\n";
    }
    static std::string label(double x, double y, const std::string& text, const char* style = "") {
        return "<text x='" + number(x) + "' y='" + number(y) + "' " + style + '>' + escaped(text) + "</text>\n";
    }

    std::string drawing() const {
        const std::size_t rows = (results_.size() + columns - 1) / columns;
        const double all_width = columns * (width + gap) + gap;
        const double all_height = static_cast<double>(rows) * (title + height + gap) + axis;
        std::string svg = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " + number(all_width) + ' ' +
                          number(all_height) + "' font-family='sans-serif' font-size='12' fill='#222'>\n" +
                          "<rect width='100%' height='100%' fill='#fff'/>\n";
        for (std::size_t i = 0; i < results_.size(); ++i) {
            const double x = gap + static_cast<double>(i % columns) * (width + gap);
            const double y = title + static_cast<double>(i / columns) * (title + height + gap);
            svg += "<g transform='translate(" + number(x) + ' ' + number(y) + ")'>\n" + panel(results_[i]);
            if (i + columns >= results_.size()) svg += seconds();
            svg += "</g>\n";
        }
        return svg + "</svg>\n";
    }

    std::string panel(const std::pair<policy, figures>& result) const {
        const auto& [how, seen] = result;
        const double from = x_of(scene_.breaks), to = x_of(scene_.heals());
        std::string svg = "<rect x='" + number(from) + "' width='" + number(to - from) + "' height='" + number(height) +
                          "' fill='#f7dcd9'/>\n";
        svg += "<path d='M0 " + number(height);
        for (std::size_t i = 0; i < seen.load.size(); ++i)
            svg += 'L' + number(x_of(figures::bin * static_cast<int>(i))) + ' ' + number(y_of(seen.load[i]));
        svg += "V" + number(height) + "Z' fill='#3b6ea5'/>\n";
        svg += line(0, y_of(scene_.capacity), width, y_of(scene_.capacity), "stroke='#222' stroke-dasharray='4 3'");
        svg += label(0, -6, how.name, "font-weight='bold'");
        char text[64];
        std::snprintf(text, sizeof text, "outage ×%.2f, peak ×%.1f", seen.amplification, seen.peak);
        return svg + label(width, -6, text, "text-anchor='end'");
    }

    std::string seconds() const {
        std::string svg;
        for (r2::duration t = 0s; t <= scene_.ends(); t += 20s)
            svg += label(x_of(t), height + 16, r2::to_string(t),
                         t == 0s              ? ""
                         : t == scene_.ends() ? "text-anchor='end'"
                                              : "text-anchor='middle'");
        return svg;
    }

    const scenario& scene_;
    const std::vector<std::pair<policy, figures>>& results_;
};

}  // namespace outage
