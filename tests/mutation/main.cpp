// Runs the tests. Writes the mutants that each test reaches to the file R2_REACHED, if that is set.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "mutation/switch.hpp"

class listener : public testing::EmptyTestEventListener {
public:
    explicit listener(const char* file) : out_(file) {}

    void OnTestProgramStart(const testing::UnitTest&) override { write("*"); }  // reached before main()
    void OnTestEnd(const testing::TestInfo& t) override {
        write(std::string(t.test_suite_name()) + "." + t.name(), t.result()->elapsed_time());
    }

private:
    void write(const std::string& name, long milliseconds = 0) {
        out_ << name << ' ' << milliseconds;
        for (std::size_t i = 0; i < std::size(r2_mutation::reached); ++i)
            if (r2_mutation::reached[i]) out_ << ' ' << i;
        out_ << std::endl;
        std::memset(r2_mutation::reached, 0, sizeof r2_mutation::reached);
    }

    std::ofstream out_;
};

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (const char* const file = std::getenv("R2_REACHED"))
        testing::UnitTest::GetInstance()->listeners().Append(new listener(file));
    return RUN_ALL_TESTS();
}
