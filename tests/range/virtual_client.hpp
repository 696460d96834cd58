#pragma once

#include <memory>

#include <r2/r2.hpp>
#include <r2/testing/virtual_engine.hpp>

namespace r2::testkit {

/// A client in a virtual world, which the test scripts: `fake->reply(503)`.
class virtual_client : public client {
public:
    virtual_client() : virtual_client(std::make_shared<testing::virtual_world>()) {}

    testing::virtual_world* operator->() const noexcept { return world_.get(); }

private:
    explicit virtual_client(std::shared_ptr<testing::virtual_world> world)
        : client(on_engines(), std::make_shared<testing::virtual_pool>(world)), world_(std::move(world)) {}

    std::shared_ptr<testing::virtual_world> world_;
};

}  // namespace r2::testkit
