"""The data plane of DDS: what an instance holds, and MongoDB's wire protocol to read and write it."""
