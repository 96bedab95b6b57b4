"""The end-to-end benchmark, and the control it is compared with in the same run."""
