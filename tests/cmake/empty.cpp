// Stands in for a slot that has been deleted: the linker then says what is not written.
