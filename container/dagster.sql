-- Dagster's own storage beside the warehouse: made once, with the empty server of compose.yaml.
create database dagster owner yihu;
