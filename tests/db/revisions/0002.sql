CREATE TABLE acl (
	project_id INTEGER NOT NULL, 
	etag VARCHAR(36) NOT NULL, 
	created_on BIGINT NOT NULL, 
	checksum BIGINT, 
	PRIMARY KEY (project_id), 
	FOREIGN KEY(project_id) REFERENCES entity (id) ON DELETE CASCADE
);
CREATE TABLE acl_entry (
	project_id INTEGER NOT NULL, 
	principal_id INTEGER NOT NULL, 
	permission VARCHAR(32) NOT NULL, 
	checksum BIGINT, 
	PRIMARY KEY (project_id, principal_id, permission), 
	FOREIGN KEY(project_id) REFERENCES acl (project_id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE activity (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	etag VARCHAR(36) NOT NULL, 
	name TEXT, 
	description TEXT, 
	activity_type VARCHAR(16), 
	created_on BIGINT NOT NULL, 
	created_by INTEGER NOT NULL, 
	modified_on BIGINT NOT NULL, 
	modified_by INTEGER NOT NULL, 
	checksum BIGINT
);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	PRIMARY KEY (version_num)
);
CREATE TABLE entity (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind VARCHAR(8) NOT NULL, 
	name TEXT NOT NULL, 
	parent_id INTEGER, 
	project_id INTEGER NOT NULL, 
	path TEXT NOT NULL, 
	etag VARCHAR(36) NOT NULL, 
	created_on BIGINT NOT NULL, 
	created_by INTEGER NOT NULL, 
	current_version INTEGER NOT NULL, 
	last_version INTEGER NOT NULL, 
	checksum BIGINT, 
	UNIQUE (parent_id, name, kind), 
	UNIQUE (path, project_id, kind), 
	FOREIGN KEY(parent_id) REFERENCES entity (id)
);
CREATE TABLE file_handle (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind VARCHAR(8) NOT NULL, 
	etag VARCHAR(36) NOT NULL, 
	created_on BIGINT NOT NULL, 
	created_by INTEGER NOT NULL, 
	file_name TEXT, 
	content_type TEXT, 
	size_bytes BIGINT, 
	md5 VARCHAR(32), 
	sha256 VARCHAR(64), 
	external_url TEXT, 
	checksum BIGINT
);
CREATE TABLE job (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(64) NOT NULL, 
	run_id VARCHAR(64) NOT NULL, 
	rule TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	attempt INTEGER NOT NULL, 
	started_on BIGINT, 
	ended_on BIGINT, 
	listed_on BIGINT NOT NULL, 
	activity_id INTEGER, 
	wildcards TEXT NOT NULL, 
	error TEXT, 
	record TEXT NOT NULL, 
	checksum BIGINT, 
	UNIQUE (id), 
	FOREIGN KEY(run_id) REFERENCES run (id), 
	FOREIGN KEY(activity_id) REFERENCES activity (id) ON DELETE SET NULL
);
CREATE TABLE job_file (
	job_number INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	path TEXT NOT NULL, 
	entity_id INTEGER, 
	version INTEGER, 
	sha256 VARCHAR(64), 
	outcome VARCHAR(16) NOT NULL, 
	activity_id INTEGER, 
	checksum BIGINT, 
	PRIMARY KEY (job_number, position), 
	FOREIGN KEY(entity_id, version) REFERENCES revision (entity_id, number) ON DELETE SET NULL, 
	FOREIGN KEY(job_number) REFERENCES job (number) ON DELETE CASCADE, 
	FOREIGN KEY(activity_id) REFERENCES activity (id) ON DELETE SET NULL
)
 WITHOUT ROWID

;
CREATE TABLE job_value (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	job_number INTEGER NOT NULL, 
	PRIMARY KEY ("key", value, job_number)
)
 WITHOUT ROWID

;
CREATE TABLE principal (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	etag VARCHAR(36) NOT NULL, 
	created_on BIGINT NOT NULL, 
	disabled_on BIGINT, 
	checksum BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
CREATE TABLE revision (
	entity_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	file_handle_id INTEGER, 
	activity_id INTEGER, 
	label TEXT NOT NULL, 
	comment TEXT, 
	description TEXT, 
	annotations TEXT, 
	created_on BIGINT NOT NULL, 
	created_by INTEGER NOT NULL, 
	modified_on BIGINT NOT NULL, 
	modified_by INTEGER NOT NULL, 
	meaning VARCHAR(16), 
	of_entity_id INTEGER, 
	of_version INTEGER, 
	while_job VARCHAR(64), 
	mode SMALLINT, 
	checksum BIGINT, 
	PRIMARY KEY (entity_id, number), 
	FOREIGN KEY(of_entity_id, of_version) REFERENCES revision (entity_id, number) ON DELETE SET NULL, 
	FOREIGN KEY(entity_id) REFERENCES entity (id) ON DELETE CASCADE, 
	FOREIGN KEY(file_handle_id) REFERENCES file_handle (id), 
	FOREIGN KEY(activity_id) REFERENCES activity (id) ON DELETE RESTRICT
);
CREATE TABLE run (
	id VARCHAR(64) NOT NULL, 
	project TEXT NOT NULL, 
	project_id INTEGER, 
	created_by INTEGER NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	started_on BIGINT NOT NULL, 
	git_commit TEXT, 
	git_dirty BOOLEAN, 
	record TEXT NOT NULL, 
	checksum BIGINT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(project_id) REFERENCES entity (id) ON DELETE SET NULL
);
CREATE TABLE run_plan (
	run_id VARCHAR(64) NOT NULL, 
	jobs BLOB NOT NULL, 
	checksum BIGINT, 
	PRIMARY KEY (run_id), 
	FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
);
CREATE TABLE run_value (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	run_id VARCHAR(64) NOT NULL, 
	PRIMARY KEY ("key", value, run_id), 
	FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE setting (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	checksum BIGINT, 
	PRIMARY KEY (name)
);
CREATE TABLE token (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	sha256 VARCHAR(64) NOT NULL, 
	user_id INTEGER NOT NULL, 
	scopes TEXT NOT NULL, 
	created_on BIGINT NOT NULL, 
	expires_on BIGINT, 
	revoked_on BIGINT, 
	checksum BIGINT, 
	UNIQUE (sha256), 
	FOREIGN KEY(user_id) REFERENCES principal (id)
);
CREATE TABLE upload (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	request_key VARCHAR(64) NOT NULL, 
	file_name TEXT NOT NULL, 
	content_type TEXT, 
	size_bytes BIGINT NOT NULL, 
	md5 VARCHAR(32) NOT NULL, 
	part_size_bytes BIGINT NOT NULL, 
	part_count SMALLINT NOT NULL, 
	started_on BIGINT NOT NULL, 
	started_by INTEGER NOT NULL, 
	updated_on BIGINT NOT NULL, 
	file_handle_id INTEGER, 
	checksum BIGINT, 
	UNIQUE (request_key), 
	FOREIGN KEY(file_handle_id) REFERENCES file_handle (id)
);
CREATE TABLE upload_part (
	upload_id INTEGER NOT NULL, 
	number SMALLINT NOT NULL, 
	md5 VARCHAR(32) NOT NULL, 
	checksum BIGINT, 
	PRIMARY KEY (upload_id, number), 
	FOREIGN KEY(upload_id) REFERENCES upload (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE usage (
	activity_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	was_executed BOOLEAN NOT NULL, 
	target_id BIGINT, 
	target_version BIGINT, 
	url TEXT, 
	name TEXT, 
	checksum BIGINT, 
	PRIMARY KEY (activity_id, position), 
	FOREIGN KEY(activity_id) REFERENCES activity (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE INDEX acl_entry_principal ON acl_entry (principal_id, permission, project_id);
CREATE INDEX file_handle_md5 ON file_handle (md5);
CREATE INDEX file_handle_sha256 ON file_handle (sha256);
CREATE INDEX ix_job_activity_id ON job (activity_id);
CREATE INDEX ix_job_file_activity_id ON job_file (activity_id);
CREATE INDEX ix_revision_activity_id ON revision (activity_id);
CREATE INDEX ix_revision_file_handle_id ON revision (file_handle_id);
CREATE INDEX ix_run_project_id ON run (project_id);
CREATE INDEX ix_run_started_on ON run (started_on);
CREATE INDEX ix_run_value_run_id ON run_value (run_id);
CREATE INDEX job_file_remade ON job_file (entity_id, version) WHERE outcome = 'reproduced';
CREATE INDEX job_file_reproduced ON job_file (job_number) WHERE outcome = 'reproduced';
CREATE INDEX job_file_version ON job_file (entity_id, version);
CREATE INDEX job_rule ON job (rule, number);
CREATE INDEX job_run ON job (run_id, listed_on, number, status);
CREATE INDEX job_status ON job (status, number);
CREATE INDEX revision_of ON revision (of_entity_id, of_version) WHERE of_entity_id IS NOT NULL;
CREATE INDEX usage_target ON usage (target_id, target_version);
