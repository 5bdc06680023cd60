"""What differs between answers: pure sums over plain values, without Django."""
