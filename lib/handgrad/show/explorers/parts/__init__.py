"""What several explorers use: the host, controls, the gates and passes of a graph, packed numbers, the style."""
