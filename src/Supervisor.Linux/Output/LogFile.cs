using System.Text;
using Serilog;
using Supervisor.Core;
using Supervisor.Linux.Paths;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Output;

/// <summary>
/// <c>log = "file:PATH"</c>: lines as the worker wrote them, without their priority prefix, appended (O_APPEND, mode 0640), so that a rotation by copy and
/// truncation works by itself. One by rename is noticed when something is written: the path's device and inode are
/// compared with the open file's, at most once a second. What cannot be written (a full disk) is dropped, which is said
/// once, and once more when it works again.
/// </summary>
/// <remarks>
/// Who opens the file is decided by <see cref="TrustedFile"/>, on a thread of its own: a folder of others can be as slow as they
/// like. While an open is stuck the lines of this service are lost, or go to the file that is open already.
/// </remarks>
public sealed class LogFile : IOutputSink
{
    /// <summary>Owner reads and writes, group reads.</summary>
    public const int Mode = 0x1A0;

    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    /// <summary>How long the lines of a service wait for its file to be opened.</summary>
    private static readonly TimeSpan OpenPatience = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly Func<FileRights?> _worker;
    private readonly string _service;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly MemoryStream _buffer = new();
    private DescriptorHandle? _file;
    private Files.Status _opened;
    private long? _checkedAt;
    private long _lost;
    private FileRefusal? _refused;
    private string? _said;
    private ForeignCall<Opening>? _opening;
    private bool _isMidLine;

    /// <summary>A file at that path, opened with the first line.</summary>
    /// <param name="path">Its absolute path.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">The daemon's log.</param>
    /// <param name="service">Whose it is, for the log.</param>
    /// <param name="worker">The rights of the workers' user, asked for on a thread that may wait for the user database; null, or its answer: the daemon's own.</param>
    public LogFile(string path, TimeProvider time, ILogger log, string? service = null, Func<FileRights?>? worker = null)
    {
        _worker = worker ?? (static () => null);
        _service = service is null ? "" : $"service {service}: ";
        _path = path;
        _time = time;
        _log = service is null ? log : log.Service(service);
    }

    /// <inheritdoc/>
    public void Write(IReadOnlyList<OutgoingLine> lines)
    {
        if (Open() is { } refused)
        {
            Lose(lines.Count, refused);
            return;
        }

        _buffer.SetLength(0);
        if (_isMidLine)
        {
            _buffer.WriteByte((byte)'\n');
        }

        var ends = new int[lines.Count];
        for (var i = 0; i < lines.Count; i++)
        {
            _buffer.Write(Encoding.UTF8.GetBytes(lines[i].Text));
            _buffer.WriteByte((byte)'\n');
            ends[i] = (int)_buffer.Length;
        }

        var data = _buffer.GetBuffer().AsSpan(0, (int)_buffer.Length);
        var done = 0;
        while (done < data.Length)
        {
            var count = Files.Write(_file!, data[done..], out var error);
            if (count <= 0)
            {
                // Half a line stays, and is ended when there is room again.
                _isMidLine = done == 0 ? _isMidLine : data[done - 1] != (byte)'\n';
                Lose(ends.Count(end => end > done), error ?? new SystemCallError("write", 28));
                return;
            }

            done += count;
        }

        _isMidLine = false;
        if (_lost > 0)
        {
            _log.Kind(MessageIds.LogFileRecovered).Warning("{Whose}log file {Path}: writing works again; {Lines} lines were lost", _service, _path, _lost);
            _lost = 0;
        }
    }

    /// <inheritdoc/>
    public void Dropped(long lines) =>
        _log.Kind(MessageIds.LogFileOverrun).Warning("{Whose}log file {Path}: {Lines} lines came faster than they could be written and were lost", _service, _path, lines);

    /// <inheritdoc/>
    public void Dispose()
    {
        _file?.Dispose();
        _buffer.Dispose();
    }

    /// <summary>Sees to it that the open file is the one at the path; looks no more than once a second.</summary>
    private FileRefusal? Open()
    {
        if (_checkedAt is { } at && _time.GetElapsedTime(at) < CheckInterval)
        {
            return _file is null ? _refused : null;
        }

        _checkedAt = _time.GetTimestamp();
        Files.Status? known = _file is null ? null : _opened;
        var patience = _opening is null ? OpenPatience : TimeSpan.Zero;
        _opening ??= new ForeignCall<Opening>(null, () => Look(known), static error => new Opening(null, default, FileRefusal.Of(error)));
        if (!_opening.TryGet(patience, out var opening))
        {
            return Refuse(FileRefusal.Of(new SystemCallError("open", ETIMEDOUT)));
        }

        _opening = null;
        if (opening!.Refusal is { } refusal)
        {
            return Refuse(refusal);
        }

        _refused = null;
        if (opening.File is { } opened)
        {
            _file?.Dispose();
            _file = opened;
            _opened = opening.Status;
            _isMidLine = false;
        }

        _said = null;
        return null;
    }

    private Opening Look(Files.Status? known)
    {
        var file = TrustedFile.OpenToAppend(_path, Mode, _worker(), known, PathTrust.InForce, out var status, out var refusal);
        return new Opening(file, status, refusal);
    }

    /// <summary>Rotated away and not to be opened anew: what is open is better than nothing.</summary>
    private FileRefusal? Refuse(FileRefusal refusal)
    {
        _refused = refusal;
        if (_file is null)
        {
            return refusal;
        }

        if (_said != refusal.Reason)
        {
            _said = refusal.Reason;
            _log.Kind(MessageIds.LogFileNotReopened).Warning("{Whose}log file {Path}: cannot be opened again: {Reason}; lines still go to the file that was opened before", _service, _path, refusal.Reason);
        }

        return null;
    }

    private static string Remedy(string errno) => errno switch
    {
        "ENOENT" => "make the folder, or name another file",
        "EACCES" or "EPERM" or "EROFS" => "let the daemon's user write there, or name another file",
        "EISDIR" => "that is a folder: name a file in it",
        "ETIMEDOUT" => "see why the file system does not answer",
        "ENOSPC" or "EDQUOT" => "make room",
        _ => "what is written meanwhile can still be read by \"listenctl logs\"",
    };

    private void Lose(int lines, SystemCallError why) => Lose(lines, FileRefusal.Of(why));

    private void Lose(int lines, FileRefusal why)
    {
        if (_lost == 0)
        {
            _log.Kind(MessageIds.LogFileFailed).Error("{Whose}log file {Path}: {Reason}: lines are lost until it works again; {Remedy}", _service, _path, why.Reason, why.Remedy ?? Remedy(why.Error?.Name ?? ""));
        }

        _lost += lines;
    }

    private sealed record Opening(DescriptorHandle? File, Files.Status Status, FileRefusal? Refusal);
}
