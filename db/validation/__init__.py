"""What is known of links, as rows: health and history of each owner's, answers and the patience of hosts for all."""
