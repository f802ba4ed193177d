// Executes a declarative Jenkinsfile: runs `sh`, reads reports, writes mails to files.
// It rejects everything that it does not know, so that a pass means something. It does not replace Jenkins' own validation.
//
//   groovy run-jenkinsfile.groovy JENKINSFILE WORKSPACE RECORDS [NAME=VALUE …]
//
// RECORDS is a folder for `trace` (the stages and steps) and `mail-N`. The variables are the build's environment.
// CREDENTIALS=id=file,id=file sets the credentials, SSH keys too; FORCE=true the parameter, ABORT_AT=stage cancels at that stage.
// Exits with 0 for SUCCESS, 1 FAILURE, 2 NOT_BUILT, 3 ABORTED, 4 UNSTABLE, 64 for a Jenkinsfile that it rejects.
import java.nio.file.FileSystems
import org.codehaus.groovy.control.CompilerConfiguration

// An Error, so that no try block of the Jenkinsfile catches it.
class Rejected extends Error { Rejected(String why) { super(why) } }
class Aborted extends Exception { Aborted(String why) { super(why) } }

class Known {
  // The parts of each block and the arguments of each step.
  static final PARTS = [pipeline: ['agent', 'options', 'parameters', 'environment', 'stages', 'post'], stages: ['stage'],
    stage: ['steps', 'post'], options: ['disableConcurrentBuilds', 'timeout'], parameters: ['booleanParam'],
    post: ['always', 'aborted', 'failure', 'unstable']]
  static final STEPS = [sh: ['script', 'returnStatus'], error: ['message'], unstable: ['message'],
    readFile: ['file'], junit: ['testResults', 'allowEmptyResults'], recordIssues: ['tools', 'enabledForFailure'],
    checkStyle: ['pattern'], cpd: ['pattern'], archiveArtifacts: ['artifacts', 'fingerprint', 'allowEmptyArchive'],
    mail: ['to', 'subject', 'body'], file: ['credentialsId', 'variable'], sshUserPrivateKey: ['credentialsId', 'keyFileVariable']]
  // The name of a step's only positional argument.
  static final MAIN = [sh: 'script', error: 'message', unstable: 'message', readFile: 'file']
  // From best to worst: a result never improves.
  static final RESULTS = ['SUCCESS', 'UNSTABLE', 'FAILURE', 'NOT_BUILT', 'ABORTED']
  static final CONDITIONS = [always: { true }, aborted: { it == 'ABORTED' }, failure: { it == 'FAILURE' },
    unstable: { it == 'UNSTABLE' }]
}

// All that a Jenkinsfile can access.
abstract class Declarative extends Script {
  def methodMissing(String name, Object arguments) { binding.variables.__runner.call(name, arguments as List) }
  def propertyMissing(String name) { binding.variables.__runner.read(name) }
}

class Runner {
  Map env, parts
  Map params = [:]
  Map<String, Object> currentBuild = [result: null]
  File workspace, records
  String stageName, place
  int mails

  // --- directives: collect first, then run
  def collect(String kind, Closure body) {
    def (outer, outerPlace) = [parts, place]
    (parts, place) = [[stages: []], kind]
    body()
    def collected = parts
    (parts, place) = [outer, outerPlace]
    collected
  }

  def call(String name, List args) {
    if (place && Known.PARTS.containsKey(place)) {
      if (!(name in Known.PARTS[place])) throw new Rejected("$name is not allowed in $place")
      return directive(name, args)
    }
    if (name == 'pipeline' && !place) return runPipeline(collect('pipeline', args[0]))
    if (name == 'withCredentials') return withCredentials(*args)
    if (!Known.STEPS.containsKey(name)) throw new Rejected("unknown step: $name")
    def named = !args ? [:] : args[0] instanceof Map ? args[0] : [(Known.MAIN[name]): args[0]]
    def unknown = named.keySet() - Known.STEPS[name]
    if (args.size() > 1 || unknown) throw new Rejected("$name does not take ${unknown ?: args}")
    step(name, named)
  }

  def directive(String name, List args) {
    if (name == 'stage') return parts.stages << [name: args[0]] + collect('stage', args[1])
    if (name == 'stages') return parts.stages = collect('stages', args[0]).stages
    if (name in ['post', 'options', 'parameters']) return parts[name] = collect(name, args[0])
    if (name == 'booleanParam') params[args[0].name] = env.containsKey(args[0].name) ? env[args[0].name] == 'true' : args[0].defaultValue
    parts[name] = args ? args[-1] : true
  }

  // --- running
  def runPipeline(Map pipeline) {
    if (!pipeline.agent || !pipeline.stages) throw new Rejected('a pipeline needs an agent and stages')
    place = 'steps'
    params.each { name, value -> env[name] = value.toString() }
    attempt(pipeline) { pipeline.stages.each { runStage(it) } }
    println "Finished: ${result()}"
  }

  def runStage(Map stage) {
    stageName = stage.name
    record('stage')
    attempt(stage) {
      if (env.ABORT_AT == stage.name) throw new Aborted("aborted at ${stage.name}")
      stage.steps()
    }
    if (currentBuild.failure) throw currentBuild.failure
  }

  // Runs the work of a pipeline or stage and then its post conditions. An error in one does not stop the others.
  def attempt(Map part, Closure work) {
    try {
      part.environment?.with { it.delegate = env; it.resolveStrategy = Closure.DELEGATE_FIRST; it() }
      work()
    } catch (Exception failure) { fail(failure) }
    if (part.agent) stageName = 'end'
    Known.CONDITIONS.findAll { name, applies -> part.post?.get(name) && applies(result()) }.each { name, applies ->
      record("post $name")
      try { part.post[name]() } catch (Exception failure) { fail(failure) }
    }
  }

  def fail(Exception failure) {
    if (!failure.is(currentBuild.failure)) println "ERROR: ${failure.message}"
    worsen(failure instanceof Aborted ? 'ABORTED' : 'FAILURE')
    currentBuild.failure = failure
  }

  def result() { currentBuild.result ?: 'SUCCESS' }
  def worsen(String to) { currentBuild.result = [result(), to].max { Known.RESULTS.indexOf(it) } }
  def record(String what) { new File(records, 'trace') << "[$stageName] $what\n" }
  def read(String name) {
    if (place == 'pipeline' && name == 'any') return name
    def own = [env: env, params: params, currentBuild: currentBuild]
    if (own.containsKey(name)) return own[name]
    if (!env.containsKey(name)) throw new Rejected("unknown variable: $name")
    env[name]
  }

  // --- steps
  def step(String name, Map args) {
    record("$name ${args.collect { k, v -> "$k=$v" }.join(' ')}")
    switch (name) {
      case 'sh': return sh(args)
      case 'unstable': return worsen('UNSTABLE')
      case 'error': throw new Exception(args.message)
      case 'readFile': return new File(workspace, args.file).text
      case 'mail': return new File(records, "mail-${++mails}").text = "To: $args.to\nSubject: $args.subject\n\n$args.body"
      case 'archiveArtifacts': return files(args.artifacts, args.allowEmptyArchive)
      case 'junit': return files(args.testResults, args.allowEmptyResults).each { report(it, ['testsuite', 'testsuites']) }
      case 'checkStyle': return [args.pattern, ['checkstyle']]
      case 'cpd': return [args.pattern, ['pmd-cpd']]
      case 'recordIssues': return args.tools.each { tool -> files(tool[0], true).each { report(it, tool[1]) } }
      case ['file', 'sshUserPrivateKey']: return args
    }
  }

  def files(String pattern, allowNone) {
    def matcher = FileSystems.default.getPathMatcher("glob:$pattern")
    def found = []
    workspace.traverse(type: groovy.io.FileType.FILES, preDir: { it.name in ['.git', 'node_modules'] ? groovy.io.FileVisitResult.SKIP_SUBTREE : null }) {
      if (matcher.matches(workspace.toPath().relativize(it.toPath()))) found << it
    }
    if (!found && !allowNone) throw new Exception("no file matches $pattern")
    found
  }

  def report(File file, List roots) {
    def root = new XmlSlurper().parse(file)
    if (!(root.name() in roots)) throw new Exception("$file is not a report: <${root.name()}>")
    record("report ${file.name} of ${root.depthFirst().size() - 1} entries")
  }

  def sh(Map args) {
    // Jenkins runs a script with an interpreter in its first line by that one.
    def shell = args.script.startsWith('#!') ? args.script.readLines()[0].drop(2).tokenize() : ['sh', '-xe']
    def status = execute((shell + ['-c', args.script])*.toString())
    if (args.returnStatus) return status
    if (status != 0) throw new Exception("script returned exit code $status")
  }

  def withCredentials(List bindings, Closure body) {
    def known = (env.CREDENTIALS ?: '').tokenize(',').collectEntries { it.split('=', 2) as List }
    def outer = env
    env = env + bindings.collectEntries { binding ->
      def file = known[binding.credentialsId]
      if (!file) throw new Exception("no credential $binding.credentialsId")
      [(binding.variable ?: binding.keyFileVariable): file]
    }
    try { body() } finally { env = outer }
  }

  def execute(List<String> command) {
    def builder = new ProcessBuilder(command).directory(workspace).inheritIO().redirectInput(ProcessBuilder.Redirect.PIPE)
    builder.environment().clear()
    env.each { name, value -> builder.environment().put(name.toString(), value.toString()) }
    def process = builder.start()
    process.outputStream.close()
    process.waitFor()
  }
}

def (file, workspace, records) = args[0..2].collect { new File(it).absoluteFile }
def environment = ['PATH', 'HOME', 'JAVA_HOME', 'LANG', 'USER'].collectEntries { [it, System.getenv(it)] }.findAll { it.value }
environment += [WORKSPACE: workspace.path, STAGE_NAME: ''] + args.drop(3).collectEntries { it.split('=', 2) as List }
records.mkdirs()
def runner = new Runner(workspace: workspace, records: records, env: environment)
def script = new GroovyShell(this.class.classLoader, new Binding(out: System.out, __runner: runner), new CompilerConfiguration(scriptBaseClass: 'Declarative')).parse(file)
try {
  script.run()
} catch (Rejected rejected) {
  System.err.println "rejected: ${rejected.message}"
  System.exit 64
}
System.exit([SUCCESS: 0, FAILURE: 1, NOT_BUILT: 2, ABORTED: 3, UNSTABLE: 4][runner.result()])
