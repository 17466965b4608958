// Unwinding entries for save-excursion and its relatives; also for C++ that switches buffers and re-enters.
#pragma once

#include "buffer/buffer.hpp"

namespace neomacs::host {

void record_save_excursion(Context& cx);
void record_save_restriction(Context& cx);
void record_save_current_buffer(Context& cx);

}  // namespace neomacs::host
